#include "verify/run.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <optional>

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
  std::unique_ptr<Reference<float>> f32;
  std::unique_ptr<Reference<double>> f64;
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

/// What a case costs, roughly, for the progress line: the pointwise work counts as well.
double work_of(const Case& c) {
  const Shape& s = c.spec.shape;
  return static_cast<double>(neighbours_for(c.spec)) *
         (forward_flops(c.spec, s.T * s.B) + 200.0 * static_cast<double>(s.T * s.B * s.H));
}

template <Real T>
void check_case(const Settings& settings, const Case& c, const Reference<T>& reference,
                std::map<std::string, int>& localised, std::vector<Result>& results) {
  for (const Backend* backend : settings.backends) {
    EqualityOptions options{settings.threads, settings.seed, true};
    int& count = localised[std::string(backend->name())];
    options.localise = settings.verbose || count < most_localised;
    for (Result& result : check_equality<T>(*backend, c, reference, options)) {
      if (result.verdict == Verdict::fail) ++count;
      results.push_back(std::move(result));
    }
  }
}

void check_golden(const Settings& settings, const std::vector<GoldenFile*>& files,
                  const Progress& progress, std::vector<Result>& results) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    progress(static_cast<double>(i) / static_cast<double>(files.size()), files[i]->path);
    const GoldenCheck check(std::move(*files[i]), settings.seed);
    for (const Backend* backend : settings.backends) {
      for (const Dtype dtype : settings.dtypes) {
        results.push_back(check.check(*backend, dtype, settings.threads.front()));
      }
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
    if (!settings.cells.empty() && !contains(settings.cells, to_string(c.spec.cell))) continue;
    chosen.push_back(c);
  }
  return chosen;
}

std::vector<Result> run_checks(const Settings& settings, const Progress& progress) {
  std::vector<GoldenFile> golden;
  std::vector<GoldenFile*> chosen_golden;
  const std::vector<std::string> own = {settings.own_golden};
  if (!settings.golden.empty() || !settings.own_golden.empty()) {
    for (const auto& path : golden_paths(settings.golden.empty() ? own : settings.golden)) {
      golden.push_back(read_golden(path));
    }
  }
  for (GoldenFile& file : golden) {
    if (settings.cells.empty() || contains(settings.cells, file.cell)) {
      chosen_golden.push_back(&file);
    }
  }

  const std::vector<Case> cases = chosen_cases(settings);
  double total = 0, done = 0;
  for (const Case& c : cases) total += work_of(c);
  std::vector<Result> results;
  std::map<std::string, int> localised;
  Preparation preparation(settings, cases);
  for (const Case& c : cases) {
    progress(done / total, c.name);
    Prepared prepared = preparation.next();
    if (prepared.gradient) results.push_back(std::move(*prepared.gradient));
    if (prepared.f32) check_case(settings, c, *prepared.f32, localised, results);
    if (prepared.f64) check_case(settings, c, *prepared.f64, localised, results);
    done += work_of(c);
  }
  check_golden(settings, chosen_golden, progress, results);
  for (Result& result : results) result.command = command_of(result);
  return results;
}

std::string command_of(const Result& result) {
  const bool golden = result.kind == CheckKind::golden;
  // Bits that differ between thread counts show only where both are run.
  const bool needs_both =
      std::any_of(result.findings.begin(), result.findings.end(),
                  [](const Finding& finding) { return finding.check == "threads"; });
  return "bptt-verify --backend " + result.backend + (golden ? " --golden '" : " --only '") +
         result.subject + "' --dtype " + std::string(name_of(result.dtype)) + " --threads " +
         (needs_both ? std::to_string(result.first_threads) + "," : "") +
         std::to_string(result.threads) + " --seed " + std::to_string(result.seed);
}

}  // namespace bptt::verify
