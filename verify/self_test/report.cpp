#include "verify/self_test/report.hpp"

#include <algorithm>
#include <ostream>
#include <set>
#include <sstream>

#include "impls/program/exit_code.hpp"
#include "verify/self_test/rows.hpp"
#include "verify/text_table.hpp"

namespace bptt::verify::self_test {
namespace {

/// Why something fails, a line each; with it, the exit code is not 0.
std::vector<std::string> complaints(const SelfTest& result) {
  std::vector<std::string> lines;
  for (const Outcome& outcome : result.outcomes) {
    if (outcome.verdict == Verdict::caught || outcome.verdict == Verdict::not_planted) continue;
    lines.push_back(std::string(name_of(outcome.verdict)) + ": '" + outcome.fault + "' in " +
                    outcome.backend + ": " + outcome.reason);
  }
  for (const CheckOutcome& check : result.checks) {
    if (check.is_idle()) {
      lines.push_back("IDLE: " + check.name + ": every fault is caught without it");
    }
  }
  for (const std::string& alarm : result.false_alarms) lines.push_back("FALSE ALARM: " + alarm);
  return lines;
}

/// Where faults could not be planted, and why: a line for each reason.
std::vector<std::string> not_planted(const SelfTest& result) {
  std::vector<std::string> lines;
  std::set<std::string> seen;
  for (const Outcome& outcome : result.outcomes) {
    if (outcome.verdict != Verdict::not_planted) continue;
    const std::string line = outcome.backend + ": " + outcome.reason;
    if (seen.insert(line).second) lines.push_back("not planted in " + line);
  }
  return lines;
}

std::string summary(const SelfTest& result) {
  std::set<std::string> faults;
  for (const Outcome& outcome : result.outcomes) faults.insert(outcome.fault);
  const int planted = static_cast<int>(result.outcomes.size()) - result.count(Verdict::not_planted);
  std::ostringstream text;
  text << faults.size() << " faults in " << result.backends().size() << " backends, "
       << result.count(Verdict::caught) << " of " << planted << " caught by the check that has to; "
       << std::count_if(result.checks.begin(), result.checks.end(),
                        [](const CheckOutcome& check) { return check.is_idle(); })
       << " of " << result.checks.size() << " checks idle";
  return text.str();
}

std::string verdict_line(const SelfTest& result) {
  const int code = result.exit_code();
  return (code == program::good           ? "PASS: "
          : code == program::nothing_done ? "NOTHING PLANTED: "
                                          : "FAIL: ") +
         summary(result) + ".";
}

void print_table(std::ostream& out, std::vector<std::string> titles,
                 const std::vector<std::vector<std::string>>& rows) {
  TextTable table(std::move(titles));
  for (const auto& row : rows) table.add(row);
  table.print(out);
}

std::string markdown_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) {
    line += ' ';
    for (const char c : cell) line += c == '|' ? std::string("\\|") : std::string(1, c);
    line += " |";
  }
  return line + "\n";
}

std::string markdown_table(const std::vector<std::string>& titles,
                           const std::vector<std::vector<std::string>>& rows) {
  std::string text = markdown_line(titles);
  text += markdown_line(std::vector<std::string>(titles.size(), "---"));
  for (const auto& row : rows) text += markdown_line(row);
  return text;
}

}  // namespace

void print(std::ostream& out, const SelfTest& result) {
  out << "Planted faults, and the checks that caught them:\n";
  print_table(out, fault_titles(result), fault_rows(result));
  out << "\nChecks, and the faults that would survive without each:\n";
  print_table(out, check_titles(), check_rows(result));
  out << '\n';
  for (const std::string& line : not_planted(result)) out << line << '\n';
  for (const std::string& line : complaints(result)) out << line << '\n';
  out << verdict_line(result) << '\n';
}

std::string markdown_text(const SelfTest& result) {
  std::string text = "## Self-test of bptt-verify\n\n" + verdict_line(result) + "\n\n";
  for (const std::string& line : complaints(result)) text += "- " + line + "\n";
  for (const std::string& line : not_planted(result)) text += "- " + line + "\n";
  text += "\n" + markdown_table(check_titles(), check_rows(result));
  text += "\n" + markdown_table(fault_titles(result), fault_rows(result));
  return text;
}

}  // namespace bptt::verify::self_test
