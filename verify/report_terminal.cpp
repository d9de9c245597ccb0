// The page on the terminal: tables, failures in full, the reasons of what was not checked.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <ostream>
#include <set>
#include <tuple>

#include "impls/io/printable.hpp"
#include "verify/report.hpp"
#include "verify/text_table.hpp"

namespace bptt::verify {
namespace {

/// Failures of one backend that are printed in full; --verbose prints them all.
constexpr int most_printed = 12;

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
  return io::printable(path.substr(path.find_last_of('/') + 1));
}

void print_gradients(std::ostream& out, const Settings& settings,
                     const std::vector<Result>& results) {
  TextTable table({"cell or network", ">cases", ">elements", ">worst", ">margin", "worst tensor",
                   "in case", "verdict"});
  const auto groups = grouped<std::string>(results, CheckKind::gradient, [](const Result& result) {
    // The first part of a case's name.
    return result.subject.substr(0, result.subject.find('/'));
  });
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

void print_backends(std::ostream& out, const std::vector<Result>& results, CheckKind kind,
                    const char* title) {
  TextTable table({"backend", "dtype", "recompute", ">threads", ">cases", ">elements", ">slices",
                   ">worst", ">margin", "worst tensor", "in case", "verdict"});
  using Key = std::tuple<std::string, Dtype, Recompute, int>;
  auto groups = grouped<Key>(results, kind, [](const Result& result) {
    return Key(result.backend, result.dtype, result.recompute, result.threads);
  });
  // Backends in their own order, the ways and thread counts of each precision together.
  std::vector<std::string> order;
  for (const auto& group : groups) order.push_back(std::get<0>(group.first));
  std::stable_sort(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
    const auto rank = [&](const Key& key) {
      return std::pair(std::find(order.begin(), order.end(), std::get<0>(key)), key);
    };
    return rank(a.first) < rank(b.first);
  });
  for (const auto& [key, group] : groups) {
    const auto& [backend, dtype, recompute, threads] = key;
    const Counts counts = count(group);
    if (counts.refused == counts.results) continue;  // its reason is told below
    const Result& worst = worst_of(group);
    table.add({backend, std::string(name_of(dtype)), std::string(name_of(recompute)),
               std::to_string(threads), std::to_string(counts.results - counts.refused),
               std::to_string(counts.elements), std::to_string(counts.slices),
               number_text(worst.worst), margin_text(worst.worst), where_text(worst), worst.subject,
               verdict_text(counts)});
  }
  if (table.empty()) return;
  out << '\n' << title << '\n';
  table.print(out);
}

/// "f64", "f64 gates" where something is recomputed.
std::string dtype_text(const Result& result) {
  const std::string dtype(name_of(result.dtype));
  if (result.recompute == Recompute::none) return dtype;
  return dtype + " " + std::string(name_of(result.recompute));
}

/// A backend that has checked the file, but refuses one of several thread counts: told below.
bool is_refused_in_part(const Result& result, const std::vector<Result>& results) {
  if (result.verdict != Verdict::refused) return false;
  return std::any_of(results.begin(), results.end(), [&](const Result& other) {
    return other.verdict != Verdict::refused && other.subject == result.subject &&
           other.backend == result.backend && other.dtype == result.dtype;
  });
}

void print_golden_files(std::ostream& out, const std::vector<Result>& results) {
  TextTable table({"file", "backend", "dtype", ">threads", "worst tensor", ">difference", ">worst",
                   ">margin", "verdict"});
  for (const Result& result : results) {
    if (result.kind != CheckKind::golden || is_refused_in_part(result, results)) continue;
    std::vector<std::string> row = {file_name(result.subject), "-", "-", "-"};
    if (!result.backend.empty()) {
      row = {row[0], result.backend, dtype_text(result), std::to_string(result.threads)};
    }
    std::string verdict(name_of(result.verdict));
    if (result.verdict == Verdict::refused || result.verdict == Verdict::error) {
      row.insert(row.end(), {"-", "-", "-", "-"});
      verdict += ": " + result.reason;
    } else {
      row.insert(row.end(), {where_text(result), number_text(result.worst_difference),
                             number_text(result.worst), margin_text(result.worst)});
      if (!result.not_compared.empty()) {
        verdict += " (" + std::to_string(result.not_compared.size()) + " results not in the file)";
      }
    }
    row.push_back(verdict);
    table.add(row);
  }
  if (table.empty()) return;
  out << "\nGolden files\n";
  table.print(out);
}

/// What golden files do not have, so that a file with few tensors is not taken for a full check.
void print_not_compared(std::ostream& out, const std::vector<Result>& results) {
  std::set<std::string> told;
  for (const Result& result : results) {
    if (result.not_compared.empty() || !told.insert(result.subject).second) continue;
    if (told.size() == 1) out << "\nNot in the file, so not compared\n";
    out << "  " << file_name(result.subject) << ":";
    for (const std::string& name : result.not_compared) out << ' ' << name;
    out << '\n';
  }
}

void print_golden_summary(std::ostream& out, const std::vector<Result>& results) {
  TextTable table({"backend", "dtype", ">results", ">refused", ">worst", ">margin", "worst tensor",
                   "in file", "verdict"});
  using Key = std::tuple<std::string, Dtype>;
  for (const auto& [key, group] :
       grouped<Key>(results, CheckKind::golden,
                    [](const Result& result) { return Key(result.backend, result.dtype); })) {
    if (std::get<0>(key).empty()) continue;  // unreadable files: told below
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
    const std::string line = (result.backend.empty() ? "" : result.backend + ": ") +
                             (each ? io::printable(result.subject) + ": " : "") + result.reason;
    const auto same = std::find_if(lines.begin(), lines.end(),
                                   [&](const auto& other) { return other.first == line; });
    if (same == lines.end()) {
      lines.emplace_back(line, 1);
    } else {
      ++same->second;
    }
  }
  if (lines.empty()) return;
  const std::string_view name = name_of(verdict);
  out << '\n' << static_cast<char>(std::toupper(name[0])) << name.substr(1) << '\n';
  for (const auto& [line, times] : lines) {
    out << "  " << line << " (" << times << (times == 1 ? " result)\n" : " results)\n");
  }
}

}  // namespace

void print_failure(std::ostream& out, const Result& result) {
  out << "FAIL " << name_of(result.kind) << "  backend " << result.backend << "  "
      << (result.kind == CheckKind::golden ? "file " : "case ") << io::printable(result.subject)
      << "  " << name_of(result.dtype) << "  threads " << result.threads
      << (result.recompute == Recompute::none
              ? ""
              : "  recompute " + std::string(name_of(result.recompute)))
      << "  seed " << result.seed << '\n';
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
  out << "  reproduce: " << io::printable(result.command) << '\n';
}

void print_report(std::ostream& out, const Settings& settings, const std::vector<Result>& results) {
  print_gradients(out, settings, results);
  print_backends(
      out, results, CheckKind::equality,
      "Backends against naive in the next higher precision, per tensor, time step and gate");
  print_backends(out, results, CheckKind::direction,
                 "At the extents of a benchmark: f64 along directions, f32 against naive in f64");
  if (!settings.fuzz) {
    print_backends(out, results, CheckKind::fuzz,
                   "The case against naive in the next higher precision");
  }
  if (settings.golden.empty()) {
    print_golden_summary(out, results);
  } else {
    print_golden_files(out, results);
  }
  print_failures(out, settings, results);
  if (settings.verbose) print_not_compared(out, results);
  print_reasons(out, Verdict::error, results, false);
  print_reasons(out, Verdict::inconclusive, results, true);
  print_reasons(out, Verdict::refused, results, settings.verbose);

  const Counts counts = count(results);
  out << "\nErrors are in units of naive's own rounding error; the limit is "
      << number_text(error_limit) << ", the margin is limit / worst.\n";
  out << overall_text(counts);
  out << ": " << counts.results << " results: " << counts.pass << " pass, " << counts.fail
      << " fail, " << counts.inconclusive << " inconclusive, " << counts.refused << " refused, "
      << counts.errors << " unreadable; " << counts.elements << " elements compared\n";
}

}  // namespace bptt::verify
