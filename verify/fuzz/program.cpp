#include "verify/fuzz/program.hpp"

#include <cmath>
#include <cstdio>
#include <ostream>

#include "impls/program/interrupt.hpp"
#include "impls/program/progress.hpp"
#include "verify/report.hpp"
#include "verify/text_table.hpp"

namespace bptt::verify::fuzz {
namespace {

/// For the first guess of the time left.
constexpr double seconds_per_case = 0.02;

Settings settings_of(const verify::Settings& all) {
  Settings settings;
  settings.backends = all.backends;
  settings.cases = *all.fuzz;
  settings.seed = all.seed;
  settings.only.cells = all.cells;
  settings.only.dtypes = all.dtypes;
  if (all.threads_given) settings.only.threads = all.threads;
  settings.only.recompute = all.recompute;
  return settings;
}

std::string percent(Index part, Index whole) {
  if (whole == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.2g%%",
                100 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

}  // namespace

Outcome run_fuzz(const verify::Settings& all, std::vector<Result>& results) {
  const Settings settings = settings_of(all);
  const program::InterruptGuard guard;
  program::Progress line(static_cast<double>(settings.cases) * seconds_per_case);
  const auto start = std::chrono::steady_clock::now();
  const auto show = [&](std::uint64_t done, std::size_t failed) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    const double rate = static_cast<double>(done) / std::max(passed.count(), 1e-3);
    line.show(static_cast<double>(done) * seconds_per_case,
              "case " + std::to_string(done) + " of " + std::to_string(settings.cases) + ", " +
                  number_text(std::round(rate)) + "/s, " + std::to_string(failed) + " failed");
  };
  Outcome outcome = run_fuzz(settings, show, program::interrupted);
  results = results_of(settings, outcome);
  return outcome;
}

std::vector<Result> run_case(const verify::Settings& settings) {
  const std::vector<Recompute> recompute =
      settings.recompute.empty() ? std::vector{Recompute::none} : settings.recompute;
  return run_case(parse_description(settings.case_text), settings.backends, settings.dtypes,
                  settings.threads, recompute, settings.seed);
}

void print_outcome(std::ostream& out, const verify::Settings& settings, const Outcome& outcome) {
  out << '\n'
      << outcome.cases << " of " << *settings.fuzz << " random cases of seed " << settings.seed
      << " in " << program::clock_text(outcome.seconds) << " ("
      << number_text(static_cast<double>(outcome.cases) / std::max(outcome.seconds, 1e-3))
      << " cases/s)" << (outcome.interrupted ? ", then interrupted" : "") << '\n';
  TextTable table({"backend", "dtype", ">results", ">fail", ">refused", ">elements",
                   ">inconclusive", ">worst", ">margin", "worst tensor"});
  for (const Tally& tally : outcome.tallies) {
    const Counts& counts = tally.counts;
    if (counts.results == 0) continue;
    table.add({tally.backend, std::string(name_of(tally.dtype)), std::to_string(counts.results),
               std::to_string(counts.fail), std::to_string(counts.refused),
               std::to_string(counts.elements), percent(counts.inconclusive_slices, counts.slices),
               number_text(tally.worst.worst), margin_text(tally.worst.worst),
               tally.worst.worst_place.index < 0 ? "-" : to_string(tally.worst.worst_place)});
  }
  table.print(out);
  out << "inconclusive: the share of slices whose signal lies under the noise, or is zero\n";
  for (const Tally& tally : outcome.tallies) {
    if (tally.counts.elements == 0) continue;
    out << "worst of " << tally.backend << ' ' << name_of(tally.dtype) << ": "
        << tally.worst.command << '\n';
  }
  if (!outcome.refusals.empty()) out << "\nRefused\n";
  for (const auto& [reason, times] : outcome.refusals) {
    out << "  " << reason << " (" << times << (times == 1 ? " result)\n" : " results)\n");
  }
  if (!outcome.failures.empty()) out << "\nFailing cases as they were drawn\n";
  for (const std::string& drawn : outcome.drawn_as) out << "  " << drawn << '\n';
}

}  // namespace bptt::verify::fuzz
