// A summary in Markdown for the page of a CI job, and annotations for GitHub Actions.
#include <algorithm>
#include <cmath>
#include <sstream>
#include <string_view>
#include <utility>

#include "impls/io/printable.hpp"
#include "impls/program/command_line.hpp"
#include "impls/program/exit_code.hpp"
#include "verify/report.hpp"

namespace bptt::verify {
namespace {

/// More failures than these are left to the artifacts: a summary has a size limit.
constexpr int most_listed = 20;

/// Fit for a table's cell: what could end the cell, or be taken for markup, is escaped.
std::string cell_text(const std::string& text) {
  std::string cell;
  for (const char c : io::printable(text)) {
    if (std::string_view("\\`*_[]<>|&").find(c) != std::string_view::npos) cell += '\\';
    cell += c;
  }
  return cell;
}

void add_row(std::ostream& out, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) out << "| " << cell_text(cell) << ' ';
  out << "|\n";
}

void add_groups(std::ostream& out, const std::vector<Result>& results) {
  out << "| check | backend | dtype | verdict | pass | fail | inconclusive | refused | elements | "
         "error | limit | margin | worst in |\n"
         "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- "
         "|\n";
  for (const ResultGroup& group : groups_of(results)) {
    const Counts& counts = group.counts;
    const bool has_error = group.worst != nullptr;
    add_row(out,
            {std::string(name_of(group.kind)), group.backend.empty() ? "-" : group.backend,
             group.backend.empty() ? "-" : std::string(name_of(group.dtype)), verdict_text(counts),
             std::to_string(counts.pass), std::to_string(counts.fail),
             std::to_string(counts.inconclusive), std::to_string(counts.refused),
             std::to_string(counts.elements), has_error ? number_text(group.worst->worst) : "-",
             has_error ? number_text(error_limit) : "-",
             has_error ? margin_text(group.worst->worst) : "-",
             has_error ? to_string(group.worst->worst_place) : "-"});
  }
}

/// A fence longer than any run of backticks in the text.
void add_fenced(std::ostream& out, const std::string& text) {
  std::size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(longest + 1, 3), '`');
  out << fence << "text\n" << text << fence << "\n\n";
}

void add_failures(std::ostream& out, const std::vector<Result>& results) {
  int listed = 0, left_out = 0;
  for (const Result& result : results) {
    if (result.verdict != Verdict::fail) continue;
    if (listed++ == 0) out << "\n### Failures\n\n";
    if (listed > most_listed) {
      ++left_out;
      continue;
    }
    std::ostringstream text;
    print_failure(text, result);
    add_fenced(out, text.str());
  }
  if (left_out > 0) out << "... and " << left_out << " more.\n";
}

void add_errors(std::ostream& out, const std::vector<Result>& results) {
  bool first = true;
  for (const Result& result : results) {
    if (result.verdict != Verdict::error) continue;
    if (std::exchange(first, false)) out << "\n### Could not be read\n\n";
    out << "- " << cell_text(result.reason) << '\n';
  }
}

/// The text of a workflow command, and (`property`) what stands before its "::".
std::string workflow_text(const std::string& text, bool property) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%') {
      escaped += "%25";
    } else if (c == '\r') {
      escaped += "%0D";
    } else if (c == '\n') {
      escaped += "%0A";
    } else if (property && c == ':') {
      escaped += "%3A";
    } else if (property && c == ',') {
      escaped += "%2C";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void annotate(std::ostream& out, const char* level, const std::string& title,
              const std::string& text) {
  out << "::" << level << " title=" << workflow_text(title, true)
      << "::" << workflow_text(text, false) << '\n';
}

/// The worst element of several results: "worst error 3.2 of 32 (margin 10x) at y t=3 ...".
std::string worst_text(const Result& worst) {
  return "worst error " + number_text(worst.worst) + " units of " + number_text(error_limit) +
         " (margin " + margin_text(worst.worst) + ") at " + to_string(worst.worst_place) + " in " +
         io::printable(worst.subject);
}

void annotate_backend(std::ostream& out, const std::string& backend,
                      const std::vector<Result>& all) {
  Counts counts;
  const Result *worst = nullptr, *failure = nullptr, *doubtful = nullptr, *refused = nullptr;
  for (const Result& result : all) {
    if (result.backend != backend) continue;
    counts.add(count({result}));
    const bool compared = result.worst_place.index >= 0;
    if (compared && (worst == nullptr || result.worst > worst->worst)) worst = &result;
    const auto keep_first = [&](const Result*& first, Verdict verdict) {
      if (result.verdict == verdict && first == nullptr) first = &result;
    };
    keep_first(failure, Verdict::fail);
    keep_first(doubtful, Verdict::inconclusive);
    keep_first(refused, Verdict::refused);
  }
  const std::string title = "bptt-verify " + backend;
  const std::string of = " of " + std::to_string(counts.results) + " results";
  if (failure != nullptr) {
    std::ostringstream text;
    print_failure(text, *failure);
    annotate(out, "error", title,
             std::to_string(counts.fail) + of + " are wrong; the first:\n" + text.str());
  } else if (doubtful != nullptr) {
    annotate(out, "warning", title,
             std::to_string(counts.inconclusive) + of + " are inconclusive; " +
                 io::printable(doubtful->subject) + ": " + doubtful->reason);
  } else if (counts.pass == 0) {
    annotate(out, "warning", title,
             "nothing was checked: " + (refused == nullptr ? "" : io::printable(refused->reason)));
  } else {
    annotate(out, "notice", title,
             std::to_string(counts.pass) + of + " pass, " + std::to_string(counts.refused) +
                 " refused" + (worst == nullptr ? "" : "; " + worst_text(*worst)));
  }
}

}  // namespace

std::string markdown_text(const Settings& settings, const std::vector<Result>& results) {
  const Counts counts = count(results);
  std::ostringstream out;
  out << "## bptt-verify: " << overall_text(counts) << "\n\n"
      << counts.results << " results: " << counts.pass << " pass, " << counts.fail << " fail, "
      << counts.inconclusive << " inconclusive, " << counts.refused << " refused, " << counts.errors
      << " unreadable; " << counts.elements << " elements compared; seed " << settings.seed
      << ". Errors are in units of naive's own rounding error; margin is limit / "
      << "error.\n\n";
  if (!results.empty()) add_groups(out, results);
  add_failures(out, results);
  add_errors(out, results);
  out << "\n" << cell_text(program::version_text()) << "\n";
  return out.str();
}

std::string github_text(const Settings& settings, const std::vector<Result>& results) {
  std::ostringstream out;
  for (const Backend* backend : settings.backends) {
    const std::string name(backend->name());
    const auto is_its = [&](const Result& result) { return result.backend == name; };
    if (std::any_of(results.begin(), results.end(), is_its)) annotate_backend(out, name, results);
  }
  for (const Result& result : results) {
    if (result.verdict == Verdict::error) annotate(out, "error", "bptt-verify", result.reason);
  }
  const Counts counts = count(results);
  if (exit_code_of(counts, settings.strict) == program::nothing_done) {
    annotate(out, "error", "bptt-verify", "nothing was checked");
  }
  return out.str();
}

}  // namespace bptt::verify
