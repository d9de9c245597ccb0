#include "verify/run.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "impls/io/printable.hpp"
#include "verify/command.hpp"
#include "verify/directions.hpp"
#include "verify/equality.hpp"
#include "verify/fixtures.hpp"
#include "verify/golden.hpp"
#include "verify/oracles.hpp"
#include "verify/properties/property_run.hpp"

namespace bptt::verify {
namespace {

/// Looking for the time step of a fault costs several runs of the reference. After this many
/// failing results of a backend it is left to the command that reproduces the failure.
constexpr int most_localised = 12;

/// What a case needs that no backend but naive takes part in.
struct Prepared {
  std::optional<Reference<float>> f32;
  std::optional<Reference<double>> f64;
  std::optional<Result> gradient;
};

template <class T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// The reference's own gradient is checked, in f64 on one thread, where all of that is asked for.
bool runs_oracles(const Settings& settings) {
  return settings.runs(CheckKind::gradient) && contains(settings.dtypes, Dtype::f64) &&
         contains(settings.threads, 1) && contains(settings.backends, settings.reference);
}

Prepared prepare(const Settings& settings, const Case& c) {
  Prepared prepared;
  if (contains(settings.dtypes, Dtype::f32)) prepared.f32 = reference_of<float>(c, settings.seed);
  if (contains(settings.dtypes, Dtype::f64)) prepared.f64 = reference_of<double>(c, settings.seed);
  if (c.small && runs_oracles(settings)) {
    prepared.gradient = check_gradient(*settings.reference, c, *prepared.f64, settings.seed);
  }
  return prepared;
}

/// Prepares the cases in order, some at a time and by as many threads as there are processors.
/// Backends run in between, never beside it: threads that wait for one another in a loop, as those
/// of some backends do, are slowed down a hundredfold where others take their processors.
class Preparation {
 public:
  Preparation(const Settings& settings, const std::vector<Case>& cases)
      : settings_(settings), cases_(cases) {}

  Prepared next() {
    if (ready_.empty()) prepare_some();
    Prepared first = std::move(ready_.front());
    ready_.pop_front();
    return first;
  }

 private:
  void prepare_some() {
    constexpr std::size_t at_once = 32;
    const std::size_t begin = prepared_, end = std::min(cases_.size(), begin + at_once);
    ready_.resize(end - begin);
    std::atomic<std::size_t> next{begin};
    const auto work = [&] {
      for (std::size_t i; (i = next++) < end;) ready_[i - begin] = prepare(settings_, cases_[i]);
    };
    std::vector<std::future<void>> workers;
    for (unsigned k = 0; k < std::max(1u, std::thread::hardware_concurrency()); ++k) {
      workers.push_back(std::async(std::launch::async, work));
    }
    for (auto& worker : workers) worker.get();
    prepared_ = end;
  }

  const Settings& settings_;
  const std::vector<Case>& cases_;
  std::size_t prepared_ = 0;
  std::deque<Prepared> ready_;
};

template <Real T>
void check_case(const Settings& settings, const Case& c, const Reference<T>& reference,
                std::map<std::string, int>& localised, std::vector<Result>& results) {
  for (const Backend* backend : settings.backends) {
    EqualityOptions options{settings.threads, settings.recompute_of(c.recompute), settings.seed,
                            true};
    int& count = localised[std::string(backend->name())];
    options.localise = settings.verbose || count < most_localised;
    for (Result& result : check_equality<T>(*backend, c, reference, options)) {
      if (result.verdict == Verdict::fail) ++count;
      results.push_back(std::move(result));
    }
  }
}

/// At the extents of a benchmark. What naive does for a case is done while backends run another.
/// Naive itself, whose gradient goes through the oracles element by element, would take minutes.
/// The hundreds of forward passes that f64 takes run with the largest of the thread counts alone.
void check_directions(const Settings& settings, const std::vector<Case>& cases,
                      const std::function<void(const Case&)>& starts,
                      std::vector<Result>& results) {
  const auto prepare = [&](std::size_t i) {
    return std::async(std::launch::async,
                      [&settings, &c = cases[i]] { return DirectionCheck(c, settings.seed); });
  };
  const std::vector<int> most_threads = {*std::ranges::max_element(settings.threads)};
  std::vector<std::future<DirectionCheck>> running;
  if (!cases.empty()) running.push_back(prepare(0));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    starts(cases[i]);
    const DirectionCheck check = running[i].get();
    if (i + 1 < cases.size()) running.push_back(prepare(i + 1));
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
    for (Result& result : check_golden_file(paths[i], options)) {
      results.push_back(std::move(result));
    }
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
  std::map<std::string, int> localised;
  Preparation preparation(settings, cases);
  for (const Case& c : cases) {
    progress(done / total, c.name);
    Prepared prepared = preparation.next();
    if (prepared.gradient) results.push_back(std::move(*prepared.gradient));
    if (prepared.f32) check_case(settings, c, *prepared.f32, localised, results);
    if (prepared.f64) check_case(settings, c, *prepared.f64, localised, results);
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
