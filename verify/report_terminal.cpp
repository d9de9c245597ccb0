// The page on the terminal: tables, failures in full, the reasons of what was not checked.
#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <set>
#include <tuple>

#include "verify/report.hpp"
#include "verify/text_table.hpp"

namespace bptt::verify {
namespace {

/// Failures of one backend that are printed in full; --verbose prints them all.
constexpr int most_printed = 12;

std::string margin_text(double worst) {
  return worst > 0 && std::isfinite(worst) ? number_text(error_limit / worst, 2) + "x" : "-";
}

/// The verdict of several results: the worst of them.
std::string verdict_text(const Counts& counts) {
  if (counts.fail > 0) return "FAIL (" + std::to_string(counts.fail) + ")";
  if (counts.pass + counts.inconclusive == 0) return "refused";
  std::string text = counts.inconclusive > 0
                         ? "inconclusive (" + std::to_string(counts.inconclusive) + ")"
                         : "pass";
  return text;
}

/// Results that share a line of a table, in the order in which they first came.
template <class Key>
std::vector<std::pair<Key, std::vector<Result>>> grouped(const std::vector<Result>& results,
                                                         CheckKind kind,
                                                         Key (*key)(const Result&)) {
  std::vector<std::pair<Key, std::vector<Result>>> groups;
  for (const Result& result : results) {
    if (result.kind != kind) continue;
    const Key of = key(result);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& candidate) { return candidate.first == of; });
    if (group == groups.end()) group = groups.insert(groups.end(), {of, {}});
    group->second.push_back(result);
  }
  return groups;
}

const Result& worst_of(const std::vector<Result>& results) {
  return *std::max_element(results.begin(), results.end(),
                           [](const Result& a, const Result& b) { return a.worst < b.worst; });
}

std::string where_text(const Result& result) {
  return result.worst_place.index < 0 ? "-" : to_string(result.worst_place);
}

std::string file_name(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

void print_gradients(std::ostream& out, const Settings& settings,
                     const std::vector<Result>& results) {
  TextTable table(
      {"cell", ">cases", ">elements", ">worst", ">margin", "worst tensor", "in case", "verdict"});
  const auto groups = grouped<std::string>(results, CheckKind::gradient,
                                           [](const Result& result) { return result.cell; });
  for (const auto& [cell, group] : groups) {
    const Counts counts = count(group);
    const Result& worst = worst_of(group);
    table.add({cell, std::to_string(counts.results), std::to_string(counts.elements),
               number_text(worst.worst), margin_text(worst.worst), where_text(worst), worst.subject,
               verdict_text(counts)});
  }
  if (table.empty()) return;
  out << "\nGradients of " << settings.reference->name()
      << ", f64: analytic, complex step and finite differences, every element\n";
  table.print(out);
}

void print_equality(std::ostream& out, const std::vector<Result>& results) {
  TextTable table({"backend", "dtype", ">threads", ">cases", ">elements", ">slices", ">worst",
                   ">margin", "worst tensor", "in case", "verdict"});
  using Key = std::tuple<std::string, Dtype, int>;
  auto groups = grouped<Key>(results, CheckKind::equality, [](const Result& result) {
    return Key(result.backend, result.dtype, result.threads);
  });
  std::stable_sort(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
    // Backends in their own order, the thread counts of each precision together.
    const auto rank = [&](const auto& group) {
      const auto first = std::find_if(groups.begin(), groups.end(), [&](const auto& other) {
        return std::get<0>(other.first) == std::get<0>(group.first);
      });
      return std::tuple(first - groups.begin(), std::get<1>(group.first), std::get<2>(group.first));
    };
    return rank(a) < rank(b);
  });
  for (const auto& [key, group] : groups) {
    const auto& [backend, dtype, threads] = key;
    const Counts counts = count(group);
    if (counts.refused == counts.results) continue;  // its reason is told below
    const Result& worst = worst_of(group);
    table.add({backend, std::string(name_of(dtype)), std::to_string(threads),
               std::to_string(counts.results - counts.refused), std::to_string(counts.elements),
               std::to_string(counts.slices), number_text(worst.worst), margin_text(worst.worst),
               where_text(worst), worst.subject, verdict_text(counts)});
  }
  if (table.empty()) return;
  out << "\nBackends against naive in the next higher precision, per tensor, time step and gate\n";
  table.print(out);
}

void print_golden_files(std::ostream& out, const std::vector<Result>& results) {
  TextTable table(
      {"file", "backend", "dtype", "worst tensor", ">difference", ">worst", ">margin", "verdict"});
  for (const Result& result : results) {
    if (result.kind != CheckKind::golden) continue;
    if (result.verdict == Verdict::refused) {
      table.add({file_name(result.subject), result.backend, std::string(name_of(result.dtype)), "-",
                 "-", "-", "-", "refused: " + result.reason});
      continue;
    }
    table.add({file_name(result.subject), result.backend, std::string(name_of(result.dtype)),
               where_text(result), number_text(result.worst_difference), number_text(result.worst),
               margin_text(result.worst), std::string(name_of(result.verdict))});
  }
  if (table.empty()) return;
  out << "\nGolden files\n";
  table.print(out);
}

void print_golden_summary(std::ostream& out, const std::vector<Result>& results) {
  TextTable table({"backend", "dtype", ">files", ">refused", ">worst", ">margin", "worst tensor",
                   "in file", "verdict"});
  using Key = std::tuple<std::string, Dtype>;
  for (const auto& [key, group] :
       grouped<Key>(results, CheckKind::golden,
                    [](const Result& result) { return Key(result.backend, result.dtype); })) {
    const Counts counts = count(group);
    const Result& worst = worst_of(group);
    table.add({std::get<0>(key), std::string(name_of(std::get<1>(key))),
               std::to_string(counts.results - counts.refused), std::to_string(counts.refused),
               number_text(worst.worst), margin_text(worst.worst), where_text(worst),
               file_name(worst.subject), verdict_text(counts)});
  }
  if (table.empty()) return;
  out << "\nGolden files of another system (--golden PATH names each)\n";
  table.print(out);
}

void print_failures(std::ostream& out, const Settings& settings,
                    const std::vector<Result>& results) {
  std::map<std::string, int> printed;
  Index left_out = 0;
  for (const Result& result : results) {
    if (result.verdict != Verdict::fail) continue;
    if (!settings.verbose && ++printed[result.backend] > most_printed) {
      ++left_out;
      continue;
    }
    out << '\n';
    print_failure(out, result);
  }
  if (left_out > 0) {
    out << "\n... and " << left_out << " more failing results (--verbose prints them all)\n";
  }
  const auto doubts_reference = [&](const Result& result) {
    return result.kind == CheckKind::gradient && result.verdict == Verdict::fail;
  };
  if (std::any_of(results.begin(), results.end(), doubts_reference)) {
    out << "\nThe reference itself failed above: what other backends are said to do wrong may be "
           "its fault.\n";
  }
}

/// One line per reason: so many results of one backend give the same.
void print_reasons(std::ostream& out, Verdict verdict, const std::vector<Result>& results,
                   bool each) {
  std::vector<std::pair<std::string, int>> lines;
  for (const Result& result : results) {
    if (result.verdict != verdict) continue;
    // What a file asks for and the suite lacks is no backend's doing.
    const bool of_backend = result.kind != CheckKind::golden;
    const std::string line = (of_backend ? result.backend : "golden files") + ": " +
                             (each ? result.subject + ": " : "") + result.reason;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&](const auto& other) { return other.first == line; });
    if (same == lines.end()) {
      lines.emplace_back(line, 1);
    } else {
      ++same->second;
    }
  }
  if (lines.empty()) return;
  out << '\n' << (verdict == Verdict::refused ? "Refused" : "Inconclusive") << '\n';
  for (const auto& [line, times] : lines) {
    out << "  " << line << " (" << times << (times == 1 ? " result)\n" : " results)\n");
  }
}

}  // namespace

void print_failure(std::ostream& out, const Result& result) {
  out << "FAIL " << name_of(result.kind) << "  backend " << result.backend << "  "
      << (result.kind == CheckKind::golden ? "file " : "case ") << result.subject << "  "
      << name_of(result.dtype) << "  threads " << result.threads << "  seed " << result.seed
      << '\n';
  for (const Finding& finding : result.findings) {
    out << "  " << finding.check << ": ";
    if (finding.place.index >= 0) {
      out << to_string(finding.place) << ": got " << exact_text(finding.got) << ", expected "
          << exact_text(finding.expected);
      if (finding.unit > 0 || finding.error > 0) {
        out << ", error " << number_text(finding.error) << " units (limit "
            << number_text(error_limit) << ", unit " << number_text(finding.unit) << ")";
      }
      out << "\n    ";
    }
    out << finding.message;
    if (!finding.time_step.empty()) out << "; " << finding.time_step;
    out << '\n';
  }
  out << "  reproduce: " << result.command << '\n';
}

void print_report(std::ostream& out, const Settings& settings, const std::vector<Result>& results) {
  print_gradients(out, settings, results);
  print_equality(out, results);
  if (settings.golden.empty()) {
    print_golden_summary(out, results);
  } else {
    print_golden_files(out, results);
  }
  print_failures(out, settings, results);
  print_reasons(out, Verdict::inconclusive, results, true);
  print_reasons(out, Verdict::refused, results, settings.verbose);

  const Counts counts = count(results);
  out << "\nErrors are in units of naive's own rounding error; the limit is "
      << number_text(error_limit) << ", the margin is limit / worst.\n";
  if (counts.pass + counts.inconclusive + counts.fail == 0) {
    out << "NOTHING was checked";
  } else {
    out << (counts.fail > 0 ? "FAIL" : counts.inconclusive > 0 ? "INCONCLUSIVE" : "PASS");
  }
  out << ": " << counts.results << " results: " << counts.pass << " pass, " << counts.fail
      << " fail, " << counts.inconclusive << " inconclusive, " << counts.refused << " refused; "
      << counts.elements << " elements compared\n";
}

}  // namespace bptt::verify
