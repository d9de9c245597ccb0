#include "reports/self_test.hpp"

#include <algorithm>

#include "verify/self_test/rows.hpp"

namespace bptt::report {
namespace {

using verify::self_test::Verdict;

/// Titles of verify/self_test/rows.hpp begin with '>' where their column is flush right.
Table table_of(std::string caption, const std::vector<std::string>& titles,
               const std::vector<std::vector<std::string>>& rows) {
  Table table;
  table.caption = std::move(caption);
  for (const std::string& title : titles) {
    const bool number = title.starts_with('>');
    const bool selectable = title == "phase" || title == "cell" || title == "expected";
    table.columns.push_back({number ? title.substr(1) : title, number, selectable});
  }
  const auto good = std::string(name_of(Verdict::caught));
  const auto not_planted = std::string(name_of(Verdict::not_planted));
  for (const auto& row : rows) {
    auto& words = table.rows.emplace_back();
    for (const std::string& cell : row) {
      const bool alarming = cell == "IDLE" || cell == name_of(Verdict::survived) ||
                            cell == name_of(Verdict::elsewhere) ||
                            cell == name_of(Verdict::misnamed);
      words.emplace_back(cell, alarming                              ? Text::Style::alarm
                               : cell == good || cell == not_planted ? Text::Style::quiet
                                                                     : Text::Style::plain);
    }
  }
  return table;
}

}  // namespace

Words self_test_verdict(const SelfTest& result) {
  if (!result) return {};
  const int caught = result->count(Verdict::caught);
  const int planted =
      static_cast<int>(result->outcomes.size()) - result->count(Verdict::not_planted);
  const auto idle = std::count_if(result->checks.begin(), result->checks.end(),
                                  [](const auto& check) { return check.is_idle(); });
  const bool good = result->exit_code() == 0;
  Words words;
  words.add(std::to_string(caught) + " of " + std::to_string(planted),
            good ? Text::Style::best : Text::Style::alarm);
  words.add(
      " planted faults (each counted in every backend) were caught by the check that has to; " +
      std::to_string(idle) + " of " + std::to_string(result->checks.size()) +
      " checks are idle, and there were " + std::to_string(result->false_alarms.size()) +
      " false alarms.");
  return words;
}

Table self_test_checks(const SelfTest& result) {
  using namespace verify::self_test;
  return result ? table_of("", check_titles(), check_rows(*result)) : Table();
}

Table self_test_faults(const SelfTest& result) {
  using namespace verify::self_test;
  return result ? table_of("", fault_titles(*result), fault_rows(*result)) : Table();
}

}  // namespace bptt::report
