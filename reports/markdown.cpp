#include "reports/markdown.hpp"

#include <algorithm>

#include "reports/lengths.hpp"
#include "reports/peers.hpp"

namespace bptt::report {
namespace {

std::string words(const Words& words) {
  std::string line;
  for (const Text& part : words.parts) {
    const bool strong = part.style == Text::Style::best || part.style == Text::Style::alarm;
    const std::string text = escape_markdown(part.text);
    line += strong ? "**" + text + "**" : text;
  }
  return line;
}

std::string table(const Table& table) {
  std::string text;
  if (!table.caption.empty()) text += escape_markdown(table.caption) + "\n\n";
  std::string rule;
  for (const TableColumn& column : table.columns) {
    text += "| " + escape_markdown(column.heading) + ' ';
    rule += column.number ? "| ---: " : "| --- ";
  }
  text += "|\n" + rule + "|\n";
  for (const auto& row : table.rows) {
    for (const Words& cell : row) text += "| " + words(cell) + ' ';
    text += "|\n";
  }
  return text + '\n';
}

/// A section, unless its table has no rows.
std::string section(const std::string& title, const std::string& lead, const Table& body) {
  if (body.rows.empty()) return "";
  std::string text = "## " + title + "\n\n";
  if (!lead.empty()) text += lead + (lead.ends_with('\n') ? "\n" : "\n\n");
  return text + table(body);
}

}  // namespace

std::string escape_markdown(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\n':
      case '\r':
        escaped += ' ';
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '\\':
      case '`':
      case '*':
      case '|':
      case '[':
      case ']':
      case '~':
      case '#':
        escaped += '\\';
        [[fallthrough]];
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string markdown_summary(const Report& report) {
  std::string text = "# " + title(report) + "\n\n";
  const auto phases = measured_phases(report);
  for (const std::string_view phase : phases) {
    text += "- " + escape_markdown(phase) + ": " + words(verdict(report, phase)) + '\n';
  }
  if (!phases.empty()) text += '\n';
  for (const std::string& caution : cautions(report)) {
    text += "> **Beware.** " + escape_markdown(caution) + "\n\n";
  }
  const std::vector<Fact> facts = run_facts(report);
  if (!facts.empty()) text += "| | |\n| --- | --- |\n";
  for (const Fact& fact : facts) {
    text += "| " + escape_markdown(fact.name) + " | " + escape_markdown(fact.value) + " |\n";
  }
  if (!facts.empty()) text += '\n';
  for (const std::string_view phase : phases) {
    text += section("Fastest backend, " + std::string(phase), "", winners(report, phase));
  }
  for (const std::string_view phase : phases) {
    text += section("Speed-up over " + escape_markdown(report.baseline) + ", " + std::string(phase),
                    "", speedups(report, phase));
  }
  for (const std::string_view phase : phases) {
    const std::string title = "Against the peers, " + std::string(phase);
    std::string lead;
    for (const Words& sentence : peer_verdicts(report, phase))
      lead += "- " + words(sentence) + '\n';
    text += section(title, lead, peer_means(report, phase));
    text += section(title + ", case by case", "", peer_cases(report, phase));
  }
  for (const std::string_view phase : phases) {
    std::string lead;
    for (const Words& sentence : lengths_verdicts(report, phase))
      lead += "- " + words(sentence) + '\n';
    text += section("Sequences of different lengths, " + std::string(phase), lead,
                    lengths_table(report, phase));
  }
  text += section("Character-level language model", "", training_table(report));
  text += section("Gradient flow", words(flow_verdict(report.flow)), flow_summary(report.flow));
  text += section("Self-test", words(self_test_verdict(report.self_test)),
                  self_test_checks(report.self_test));
  text += section("Planted faults", "", self_test_faults(report.self_test));
  text += section("Not verified, not ranked", "", unverified(report));
  text += section("Refused", "", refusals(report));
  text += "## How these figures were made\n\n";
  for (const std::string& sentence : method(report))
    text += "- " + escape_markdown(sentence) + '\n';
  return text;
}

}  // namespace bptt::report
