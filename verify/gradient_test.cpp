// The gradients of the reference against the oracles, as ctest sees it: one test per cell and
// architecture.
#include <set>

#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "verify/equality.hpp"
#include "verify/oracles.hpp"

namespace bptt::verify {
namespace {

/// The first part of its name: the cell, or the architecture.
std::string group_of(const Case& c) {
  return c.name.substr(0, c.name.find('/'));
}

std::vector<std::string> groups() {
  std::set<std::string> cells;
  for (const Case& c : all_cases()) cells.insert(group_of(c));
  return {cells.begin(), cells.end()};
}

class Every : public testing::TestWithParam<std::string> {};

TEST_P(Every, CellAndNetworkHasTheGradientThatTheOraclesFind) {
  int checked = 0;
  for (const Case& c : all_cases()) {
    if (!c.small || group_of(c) != GetParam()) continue;
    const Result result = check_gradient(*backends().front(), c, reference_of<double>(c, 1), 1);
    EXPECT_EQ(result.verdict, Verdict::pass) << c.name << ' ' << to_string(result.worst_place);
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

INSTANTIATE_TEST_SUITE_P(All, Every, testing::ValuesIn(groups()), [](const auto& test) {
  std::string name = test.param;
  for (char& character : name) {
    if (std::isalnum(static_cast<unsigned char>(character)) == 0) character = '_';
  }
  return name;
});

}  // namespace
}  // namespace bptt::verify
