#include "verify/fuzz/campaign.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <optional>
#include <thread>

#include "verify/command.hpp"
#include "verify/fuzz/shrink.hpp"

namespace bptt::verify::fuzz {
namespace {

Prepared prepare(const Trial& trial, Effort effort) {
  return fuzz::prepare(trial.what, trial.dtype, trial.seed, effort);
}

std::vector<Result> judge(const Backend& backend, const Trial& trial, const Prepared& prepared,
                          bool localise) {
  return fuzz::judge(backend, prepared, trial.thread_counts(), trial.recompute, localise);
}

/// Prepares trials in their order, some ahead of the one that is asked for.
class Preparation {
 public:
  explicit Preparation(const Settings& settings) : settings_(settings) {}

  struct Next {
    Trial trial;
    std::future<Prepared> prepared;
  };

  Next next() {
    const std::size_t ahead = std::clamp(std::thread::hardware_concurrency(), 2u, 16u);
    while (drawn_ < settings_.cases && running_.size() < ahead) {
      Trial trial = draw_trial(settings_.seed, drawn_++, settings_.only);
      auto prepared =
          std::async(std::launch::async, [trial] { return prepare(trial, Effort::first_look); });
      running_.push_back({std::move(trial), std::move(prepared)});
    }
    Next first = std::move(running_.front());
    running_.pop_front();
    return first;
  }

 private:
  const Settings& settings_;
  std::uint64_t drawn_ = 0;
  std::deque<Next> running_;
};

class Campaign {
 public:
  Campaign(const Settings& settings, Outcome& outcome) : settings_(settings), outcome_(outcome) {
    for (const Backend* backend : settings_.backends) {
      for (const Dtype dtype : all_dtypes) {
        outcome_.tallies.push_back({std::string(backend->name()), dtype, {}, {}});
      }
    }
  }

  void run(const Trial& trial, const Prepared& first_look) {
    std::optional<Prepared> careful;
    for (const Backend* backend : settings_.backends) {
      auto results = judge(*backend, trial, first_look, false);
      if (is_suspicious(results)) {
        if (!careful) careful = prepare(trial, Effort::verdict);
        results = judge(*backend, trial, *careful, false);
      }
      add(results);
      if (const Result* failure = first_failure(results)) report(*backend, trial, *failure);
    }
  }

  /// What kept a case from being run by any backend.
  void refuse(const std::string& reason) { ++outcome_.refusals[reason]; }

 private:
  void add(const std::vector<Result>& results) {
    const auto tally =
        std::find_if(outcome_.tallies.begin(), outcome_.tallies.end(), [&](const Tally& row) {
          return row.backend == results.front().backend && row.dtype == results.front().dtype;
        });
    const Counts counts = count(results);
    tally->counts.add(counts);
    for (const Result& result : results) {
      if (result.verdict == Verdict::refused) {
        ++outcome_.refusals[result.backend + ": " + result.reason];
      } else if (tally->worst.subject.empty() || result.worst > tally->worst.worst) {
        tally->worst = result;
        tally->worst.command = command_of(result);
      }
    }
  }

  void report(const Backend& backend, const Trial& trial, const Result& failure) {
    int& kept = kept_[failure.backend];
    if (kept == settings_.most_kept) return;
    Trial smallest = trial;
    if (shrunk_[failure.backend]++ < settings_.most_shrunk) {
      const std::string check = failure.findings.front().check;
      const auto fails = [&](const Trial& candidate) {
        const auto results = judge(backend, candidate, prepare(candidate, Effort::verdict), false);
        const Result* failing = first_failure(results);
        return failing != nullptr && failing->findings.front().check == check;
      };
      smallest = shrink(trial, fails, settings_.most_shrink_runs);
    }
    const auto results = judge(backend, smallest, prepare(smallest, Effort::verdict), true);
    // Not there any more where it comes and goes: then what was seen stands.
    const Result* again = first_failure(results);
    Result result = again != nullptr ? *again : failure;
    result.command = command_of(result);
    const auto is_known = [&](const Result& other) { return other.command == result.command; };
    if (std::any_of(outcome_.failures.begin(), outcome_.failures.end(), is_known)) return;
    ++kept;
    outcome_.failures.push_back(std::move(result));
    outcome_.drawn_as.push_back(to_string(trial.what));
  }

  const Settings& settings_;
  Outcome& outcome_;
  std::map<std::string, int> shrunk_, kept_;
};

std::string fuzz_command(const Settings& settings, const Tally& tally) {
  return "bptt-verify --fuzz " + std::to_string(settings.cases) + " --seed " +
         std::to_string(settings.seed) + " --backend " + tally.backend + " --dtype " +
         std::string(name_of(tally.dtype));
}

}  // namespace

Outcome run_fuzz(const Settings& settings, const FuzzProgress& progress,
                 const std::function<bool()>& stop) {
  const auto start = std::chrono::steady_clock::now();
  Outcome outcome;
  Campaign campaign(settings, outcome);
  Preparation preparation(settings);
  while (outcome.cases < settings.cases) {
    progress(outcome.cases, outcome.failures.size());
    outcome.interrupted = stop();
    if (outcome.interrupted) break;
    Preparation::Next next = preparation.next();
    try {
      campaign.run(next.trial, next.prepared.get());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
      campaign.refuse(error.what());
    }
    ++outcome.cases;
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

std::vector<Result> results_of(const Settings& settings, const Outcome& outcome) {
  std::vector<Result> results;
  for (const Tally& tally : outcome.tallies) {
    if (tally.counts.results == 0) continue;
    Result all = tally.worst;
    all.kind = CheckKind::fuzz;
    all.backend = tally.backend;
    all.dtype = tally.dtype;
    all.cell = "";
    all.subject = std::to_string(outcome.cases) + " cases of seed " + std::to_string(settings.seed);
    all.seed = settings.seed;
    all.findings.clear();
    all.elements = tally.counts.elements;
    all.slices = tally.counts.slices;
    all.inconclusive_slices = tally.counts.inconclusive_slices;
    all.command = fuzz_command(settings, tally);
    const bool any = tally.counts.pass + tally.counts.inconclusive + tally.counts.fail > 0;
    // A failure is a result of its own; single slices under the noise are counted above.
    all.verdict = any ? Verdict::pass : Verdict::refused;
    all.reason = any ? "" : "every case was refused";
    results.push_back(std::move(all));
  }
  results.insert(results.end(), outcome.failures.begin(), outcome.failures.end());
  return results;
}

std::vector<Result> run_case(const Description& what, const std::vector<const Backend*>& backends,
                             const std::vector<Dtype>& dtypes, const std::vector<int>& threads,
                             const std::vector<Recompute>& recompute, std::uint64_t seed) {
  std::vector<Result> all;
  for (const Dtype dtype : dtypes) {
    const Prepared prepared = fuzz::prepare(what, dtype, seed, Effort::verdict);
    for (const Backend* backend : backends) {
      for (const Recompute way : recompute) {
        for (Result& result : fuzz::judge(*backend, prepared, threads, way, true)) {
          result.command = command_of(result);
          all.push_back(std::move(result));
        }
      }
    }
  }
  return all;
}

}  // namespace bptt::verify::fuzz
