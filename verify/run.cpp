#include "verify/run.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <optional>

#include "impls/io/printable.hpp"
#include "verify/equality.hpp"
#include "verify/golden.hpp"
#include "verify/oracles.hpp"

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
  return contains(settings.dtypes, Dtype::f64) && contains(settings.threads, 1) &&
         contains(settings.backends, settings.reference);
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

/// Prepares the cases in order, a few ahead of the one that is asked for.
class Preparation {
 public:
  Preparation(const Settings& settings, const std::vector<Case>& cases)
      : settings_(settings), cases_(cases) {}

  Prepared next() {
    constexpr std::size_t ahead = 2;
    while (started_ < cases_.size() && running_.size() < ahead) {
      const Case& c = cases_[started_++];
      running_.push_back(
          std::async(std::launch::async, [this, &c] { return prepare(settings_, c); }));
    }
    Prepared first = running_.front().get();
    running_.pop_front();
    return first;
  }

 private:
  const Settings& settings_;
  const std::vector<Case>& cases_;
  std::size_t started_ = 0;
  std::deque<std::future<Prepared>> running_;
};

constexpr Recompute every_recompute[] = {Recompute::none, Recompute::gates, Recompute::checkpoint};

/// Ways to recompute that a case runs with.
std::vector<Recompute> recompute_of(const Settings& settings, bool runs_all) {
  if (!settings.recompute.empty()) return settings.recompute;
  if (!runs_all) return {Recompute::none};
  return {std::begin(every_recompute), std::end(every_recompute)};
}

template <Real T>
void check_case(const Settings& settings, const Case& c, const Reference<T>& reference,
                std::map<std::string, int>& localised, std::vector<Result>& results) {
  for (const Backend* backend : settings.backends) {
    EqualityOptions options{settings.threads, recompute_of(settings, c.recompute), settings.seed,
                            true};
    int& count = localised[std::string(backend->name())];
    options.localise = settings.verbose || count < most_localised;
    for (Result& result : check_equality<T>(*backend, c, reference, options)) {
      if (result.verdict == Verdict::fail) ++count;
      results.push_back(std::move(result));
    }
  }
}

/// One word of a shell.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

/// One file at a time: each is read when its turn comes.
void check_golden(const Settings& settings, const Progress& progress,
                  std::vector<Result>& results) {
  std::vector<std::string> sources = settings.golden;
  if (sources.empty() && !settings.own_golden.empty()) sources.push_back(settings.own_golden);
  const auto paths = golden_paths(sources);
  const GoldenOptions options{settings.backends, settings.dtypes, recompute_of(settings, false),
                              settings.threads,  settings.cells,  settings.seed};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    progress(static_cast<double>(i) / static_cast<double>(paths.size()), io::printable(paths[i]));
    for (Result& result : check_golden_file(paths[i], options)) {
      results.push_back(std::move(result));
    }
  }
}

}  // namespace

std::vector<Case> chosen_cases(const Settings& settings) {
  std::vector<Case> chosen;
  if (!settings.golden.empty()) return chosen;
  for (const Case& c : all_cases()) {
    if (settings.quick && !c.quick) continue;
    if (!settings.only.empty() && !matches_glob(settings.only, c.name)) continue;
    if (!settings.cells.empty() && !contains(settings.cells, c.cell)) continue;
    chosen.push_back(c);
  }
  return chosen;
}

std::vector<Result> run_checks(const Settings& settings, const Progress& progress) {
  const std::vector<Case> cases = chosen_cases(settings);
  double total = 0, done = 0;
  for (const Case& c : cases) total += c.work;
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
  check_golden(settings, progress, results);
  for (Result& result : results) result.command = command_of(result);
  return results;
}

std::string command_of(const Result& result) {
  const bool golden = result.kind == CheckKind::golden;
  // Bits that differ between thread counts show only where both are run.
  const bool needs_both =
      std::any_of(result.findings.begin(), result.findings.end(),
                  [](const Finding& finding) { return finding.check == "threads"; });
  const std::string subject = (golden ? " --golden " : " --only ") + quoted(result.subject);
  if (result.backend.empty()) return "bptt-verify" + subject;
  return "bptt-verify --backend " + result.backend + subject + " --dtype " +
         std::string(name_of(result.dtype)) + " --threads " +
         (needs_both ? std::to_string(result.first_threads) + "," : "") +
         std::to_string(result.threads) + " --recompute " + std::string(name_of(result.recompute)) +
         " --seed " + std::to_string(result.seed);
}

}  // namespace bptt::verify
