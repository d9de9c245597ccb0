// Every backend on the quick cases, as ctest sees it: one test per backend and precision. The whole
// run is bptt-verify's own.
#include "verify/equality.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "verify/oracles.hpp"
#include "verify/report.hpp"

namespace bptt::verify {
namespace {

std::string failure_text(const Result& result) {
  std::ostringstream text;
  print_failure(text, result);
  return text.str() + result.reason;
}

class EveryBackend : public testing::TestWithParam<std::tuple<const Backend*, Dtype>> {};

TEST_P(EveryBackend, EqualsNaiveInTheNextHigherPrecision) {
  const auto& [backend, dtype] = GetParam();
  for (const Case& c : all_cases()) {
    if (!c.quick) continue;
    const auto results = dispatch(dtype, [&, b = backend]<class T>(std::type_identity<T>) {
      EqualityOptions options;
      options.threads = {1, 2, 3};
      if (c.recompute) {
        options.recompute = {Recompute::none, Recompute::gates, Recompute::checkpoint};
      }
      return check_equality<T>(*b, c, reference_of<T>(c, 1), options);
    });
    for (const Result& result : results) {
      EXPECT_TRUE(result.verdict == Verdict::pass || result.verdict == Verdict::refused)
          << failure_text(result);
    }
    // A cell may be refused, but not the thread that every backend runs on.
    const Spec alone{c.subject->cell(), {}, false};
    const bool takes_cell = !backend->is_peer() && !backend->refusal(alone, dtype, Exec{});
    if (takes_cell) {
      EXPECT_EQ(results.front().verdict, Verdict::pass) << results.front().reason;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryBackend,
                         testing::Combine(testing::ValuesIn(backends()),
                                          testing::ValuesIn(all_dtypes)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)->name()) + "_" +
                                  std::string(name_of(std::get<1>(test.param)));
                         });

}  // namespace
}  // namespace bptt::verify
