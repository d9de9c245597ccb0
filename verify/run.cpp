#include "verify/run.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "impls/io/printable.hpp"
#include "verify/command.hpp"
#include "verify/directions.hpp"
#include "verify/equality.hpp"
#include "verify/fixtures.hpp"
#include "verify/golden.hpp"
#include "verify/oracles.hpp"
#include "verify/preparation.hpp"
#include "verify/properties/property_run.hpp"

namespace bptt::verify {
namespace {

/// Looking for the time step of a fault costs several runs of the reference. After this many
/// failing results of a backend it is left to the command that reproduces the failure.
constexpr int most_localised = 12;

template <class T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// The reference's own gradient is checked, in f64 on one thread, where all of that is asked for.
bool runs_oracles(const Settings& settings) {
  return settings.runs(CheckKind::gradient) && contains(settings.dtypes, Dtype::f64) &&
         contains(settings.threads, 1) && contains(settings.backends, settings.reference);
}

template <Real T>
std::vector<Result> check_on(const Backend& backend, const Settings& settings, const Case& c,
                             const Reference<T>& reference, bool localise) {
  return check_equality<T>(
      backend, c, reference,
      {settings.threads, settings.recompute_of(c.recompute), settings.seed, localise});
}

/// A case in one precision, and how the reference fares as one of the backends.
template <Real T>
struct InPrecision {
  Reference<T> reference;
  std::vector<Result> own;
};

/// What no backend but the reference takes part in.
struct Prepared {
  std::optional<InPrecision<float>> f32;
  std::optional<InPrecision<double>> f64;
  std::optional<Result> gradient;
};

template <Real T>
std::optional<InPrecision<T>> prepare_in(const Settings& settings, const Case& c) {
  if (!contains(settings.dtypes, dtype_of<T>)) return std::nullopt;
  InPrecision<T> made{reference_of<T>(c, settings.seed), {}};
  if (contains(settings.backends, settings.reference)) {
    made.own = check_on<T>(*settings.reference, settings, c, made.reference, false);
  }
  return made;
}

Prepared prepare(const Settings& settings, const Case& c) {
  Prepared prepared{prepare_in<float>(settings, c), prepare_in<double>(settings, c), std::nullopt};
  if (c.small && runs_oracles(settings)) {
    prepared.gradient =
        check_gradient(*settings.reference, c, prepared.f64->reference, settings.seed);
  }
  return prepared;
}

void append(std::vector<Result> more, std::vector<Result>& results) {
  std::move(more.begin(), more.end(), std::back_inserter(results));
}

bool failed(const Result& result) {
  return result.verdict == Verdict::fail;
}

/// How many results of each backend failed.
using Failures = std::map<const Backend*, int>;

template <Real T>
void check_case(const Settings& settings, const Case& c, std::optional<InPrecision<T>> prepared,
                Failures& failures, std::vector<Result>& results) {
  if (!prepared) return;
  for (const Backend* backend : settings.backends) {
    int& count = failures[backend];
    const bool localise = settings.verbose || count < most_localised;
    std::vector<Result> own;
    if (backend == settings.reference) own = std::move(prepared->own);
    // What failed when it was prepared runs once more, to be localised in the order of the cases.
    if (backend != settings.reference || (localise && std::ranges::any_of(own, failed))) {
      own = check_on<T>(*backend, settings, c, prepared->reference, localise);
    }
    count += static_cast<int>(std::ranges::count_if(own, failed));
    append(std::move(own), results);
  }
}

/// At the extents of a benchmark. Naive itself, whose gradient goes through the oracles element by
/// element, would take minutes. The hundreds of forward passes that f64 takes run with the largest
/// of the thread counts alone.
void check_directions(const Settings& settings, const std::vector<Case>& cases,
                      const std::function<void(const Case&)>& starts,
                      std::vector<Result>& results) {
  Preparation<DirectionCheck> preparation(
      cases.size(), [&](std::size_t i) { return DirectionCheck(cases[i], settings.seed); });
  const std::vector<int> most_threads = {*std::ranges::max_element(settings.threads)};
  for (const Case& c : cases) {
    starts(c);
    const DirectionCheck check = preparation.next();
    for (const Backend* backend : settings.backends) {
      if (backend == settings.reference) continue;
      for (const Dtype dtype : settings.dtypes) {
        for (const Recompute recompute : settings.recompute_of(false)) {
          for (const int threads : dtype == Dtype::f32 ? settings.threads : most_threads) {
            Exec exec;
            exec.threads = threads;
            exec.recompute = recompute;
            results.push_back(check.check(*backend, dtype, exec));
          }
        }
      }
    }
  }
}

/// One file at a time: each is read when its turn comes.
void check_golden(const Settings& settings, const Progress& progress,
                  std::vector<Result>& results) {
  std::vector<std::string> sources = settings.golden;
  if (sources.empty() && !settings.own_golden.empty()) sources.push_back(settings.own_golden);
  const auto paths = golden_paths(sources);
  const GoldenOptions options{settings.backends, settings.dtypes, settings.recompute_of(false),
                              settings.threads,  settings.cells,  settings.seed};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    progress(static_cast<double>(i) / static_cast<double>(paths.size()), io::printable(paths[i]));
    append(check_golden_file(paths[i], options), results);
  }
}

}  // namespace

namespace {

std::vector<Case> chosen_of(const std::vector<Case>& cases, const Settings& settings) {
  std::vector<Case> chosen;
  if (!settings.runs_table()) return chosen;
  for (const Case& c : cases) {
    if (settings.quick && !c.quick) continue;
    if (!settings.only.empty() && !matches_glob(settings.only, c.name)) continue;
    if (!settings.cells.empty() && !contains(settings.cells, c.cell)) continue;
    chosen.push_back(c);
  }
  return chosen;
}

}  // namespace

std::vector<Case> chosen_cases(const Settings& settings) {
  const CheckKind on_cases[] = {CheckKind::gradient, CheckKind::equality};
  if (std::none_of(std::begin(on_cases), std::end(on_cases),
                   [&](CheckKind kind) { return settings.runs(kind); })) {
    return {};
  }
  return chosen_of(all_cases(), settings);
}

std::vector<Case> chosen_direction_cases(const Settings& settings) {
  if (!settings.runs(CheckKind::direction)) return {};
  return chosen_of(direction_cases(), settings);
}

std::vector<Result> run_checks(const Settings& settings, const Progress& progress) {
  const std::vector<Case> cases = chosen_cases(settings);
  const std::vector<Case> along_directions = chosen_direction_cases(settings);
  double total = 0, done = 0;
  for (const Case& c : cases) total += c.work;
  for (const Case& c : along_directions) total += c.work;
  const auto properties = chosen_property_cases(settings);
  for (const PropertyCase* c : properties) total += c->work;
  std::vector<Result> results;
  Failures failures;
  Preparation<Prepared> preparation(cases.size(),
                                    [&](std::size_t i) { return prepare(settings, cases[i]); });
  for (const Case& c : cases) {
    progress(done / total, c.name);
    Prepared prepared = preparation.next();
    if (prepared.gradient) results.push_back(std::move(*prepared.gradient));
    check_case(settings, c, std::move(prepared.f32), failures, results);
    check_case(settings, c, std::move(prepared.f64), failures, results);
    done += c.work;
  }
  check_directions(
      settings, along_directions,
      [&](const Case& c) {
        progress(done / total, c.name);
        done += c.work;
      },
      results);
  check_properties(
      settings, properties,
      [&](const PropertyCase& c) {
        progress(done / total, c.name);
        done += c.work;
      },
      results);
  if (settings.runs(CheckKind::golden)) check_golden(settings, progress, results);
  // What was made on the way to what was asked for.
  std::erase_if(results, [&](const Result& result) { return !settings.runs(result.kind); });
  for (Result& result : results) result.command = command_of(result);
  if (auto bad = judge_fixtures(results, settings.seed)) results.push_back(std::move(*bad));
  return results;
}

}  // namespace bptt::verify
