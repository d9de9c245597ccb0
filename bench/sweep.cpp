#include "bench/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <map>
#include <optional>
#include <ostream>
#include <span>

#include "bench/bound.hpp"
#include "bench/contender.hpp"
#include "bench/statistics.hpp"
#include "bench/system.hpp"
#include "bench/table.hpp"
#include "bench/turns.hpp"
#include "bench/undisturbed.hpp"
#include "impls/api/memory.hpp"
#include "impls/program/interrupt.hpp"
#include "impls/program/progress.hpp"

namespace bptt::bench {
namespace {

class Sweep {
 public:
  Sweep(const Settings& settings, const Verifier& verifier, const Limits& limits, CostModel& cost,
        Journal& journal, std::ostream& out)
      : settings_(settings),
        verifier_(verifier),
        limits_(limits),
        cost_(cost),
        journal_(journal),
        out_(out),
        cases_(expand(settings)),
        progress_(estimate_all()),
        undisturbed_(machine(settings)) {}

  Outcome run() {
    for (const Case& c : cases_) {
      if (stopped()) break;
      run_case(c);
    }
    if (undisturbed_.repeated() + undisturbed_.disturbed() > 0) {
      out_ << "Something else had the processors: of " << undisturbed_.measurements()
           << " measurements " << undisturbed_.repeated() << " were made again, "
           << undisturbed_.disturbed() << " were disturbed to the end.\n";
    }
    return outcome_;
  }

 private:
  /// Of threads that are not bound nobody knows which processors they will have.
  static Undisturbed::Machine machine(const Settings& settings) {
    Undisturbed::Machine machine;
    if (settings.bind_threads) {
      machine.pace = Pace(slowest_rate, steady_seconds, settings.threads);
    } else {
      machine.pace = [](int) { return 1.0; };
    }
    return machine;
  }

  bool stopped() {
    outcome_.interrupted = outcome_.interrupted || program::interrupted();
    return outcome_.interrupted;
  }

  double estimate_all() {
    double seconds = 0;
    for (const Case& c : cases_) {
      for (const Backend* backend : settings_.backends) seconds += estimate(*backend, c);
    }
    return seconds;
  }

  double estimate(const Backend& backend, const Case& c) {
    return cost_.refusal(backend, c, settings_) ? 0 : cost_.case_seconds(backend, c, settings_);
  }

  Subject subject(const Contender& contender, const Case& c, Phase phase,
                  const Verdict& verdict) const {
    return {c,
            *contender.backend,
            phase,
            "layer",
            flops_of(phase, c),
            contender.workspace_bytes,
            verdict,
            verdict.note,
            "",
            std::nullopt,
            least_bytes(c, phase),
            bound_seconds(c, phase, limits_, gemm_flops(c)),
            contender.implementation};
  }

  std::optional<double> gemm_flops(const Case& c) const {
    const auto gflops = journal_.peak(c);
    return gflops ? std::optional(*gflops * 1e9) : std::nullopt;
  }

  void refuse(const Contender& contender, const Case& c, std::span<const Phase> of,
              const std::string& reason) {
    for (const Phase phase : of) {
      journal_.write_refusal(subject(contender, c, phase, contender.verdict), reason);
    }
    refusals_[reason] +=
        (refusals_[reason].empty() ? "" : ", ") + std::string(contender.backend->name());
  }

  void run_case(const Case& c) {
    std::vector<Contender> contenders;
    double estimated = 0;
    for (const Backend* backend : settings_.backends) {
      if (stopped()) return;
      Contender contender(*backend);
      if (const auto reason = cost_.refusal(*backend, c, settings_)) {
        refuse(contender, c, settings_.phases, *reason);
        continue;
      }
      estimated += cost_.case_seconds(*backend, c, settings_);
      progress_.show(done_, "verifying " + std::string(backend->name()) + ": " + to_string(c));
      guarded(contender, [&] {
        contender.verdict = verifier_.before(*backend, as_run(*backend, c), settings_.seed);
        contender.objection = contender.verdict.objection();
      });
      if (!contender.is_out()) {
        contenders.push_back(std::move(contender));
        continue;
      }
      outcome_.wrong = outcome_.wrong || contender.verdict.failed();
      refuse(contender, c, settings_.phases, contender.refusal(settings_.phases.front()));
    }
    if (!contenders.empty() && !stopped()) measure(c, contenders);
    done_ += estimated;
    print(c);
  }

  /// Runs what may fail in a way that nobody foresaw. That is the end of the contender in this
  /// case, not of the sweep: the rows that it has not got by then say what happened.
  template <class Action>
  void guarded(Contender& contender, Action action) {
    if (contender.is_out()) return;
    try {
      action();
    } catch (const std::exception& error) {
      contender.failure = error.what();
      outcome_.broken = true;
    }
  }

  void measure(const Case& c, std::vector<Contender>& contenders) {
    std::unique_ptr<Layer> layer;
    for (Contender& contender : contenders) {
      guarded(contender, [&] {
        if (!layer) layer = Layer::make(c, settings_.seed);
      });
    }
    const bool keep = fit_together(c, contenders);
    for (const Phase phase : settings_.phases) {
      if (stopped()) break;
      measure_phase(layer, c, phase, keep, contenders);
    }
    for (Contender& contender : contenders) {
      if (stopped()) break;
      guarded(contender, [&] { verify_again(*layer, contender, c); });
      contender.run.reset();
    }
    for (const Phase phase : settings_.phases) write(c, phase, contenders);
  }

  void measure_phase(const std::unique_ptr<Layer>& layer, const Case& c, Phase phase, bool keep,
                     std::vector<Contender>& contenders) {
    for (Contender& contender : contenders) {
      if (stopped()) return;
      progress_.show(done_, std::string(contender.backend->name()) + ": " + to_string(c));
      guarded(contender, [&] { prepare(*layer, contender, c, phase, keep); });
    }
    const auto start = std::chrono::steady_clock::now();
    for (Index round = 0; round < settings_.repetitions; ++round) {
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      const bool last = is_last(round, spent.count());
      for (std::size_t k = 0; k < contenders.size() && !stopped(); ++k) {
        Contender& contender = contenders[in_turn(k, round, contenders.size())];
        guarded(contender, [&] { measure_once(*layer, contender, c, phase, round, last, keep); });
      }
      if (last) return;
    }
  }

  /// Known before a round begins, as what the last call leaves is judged. A round will take as long
  /// as those before it, of which so many seconds were spent.
  bool is_last(Index round, double spent) const {
    if (round + 1 >= settings_.repetitions) return true;
    if (settings_.case_seconds <= 0 || round + 1 < least_rounds) return false;
    return spent * static_cast<double>(round + 1) /
               static_cast<double>(std::max<Index>(round, 1)) >=
           settings_.case_seconds;
  }

  /// What the last timed call has left, by a new plan's first call. A plan that cannot be kept has
  /// to go before there is another.
  void judge(Layer& layer, Contender& contender, const Case& c, Phase phase, bool keep) {
    if (!keep) contender.run.reset();
    contender.take(layer.judge(*contender.backend, phase));
    settle_.after_measurement(c.exec.threads);
    contender.phases[phase].judged = true;
    outcome_.wrong = outcome_.wrong || contender.verdict.failed();
  }

  /// The plan that was timed, where it still is, with the inputs that it was verified with.
  void verify_again(Layer& layer, Contender& contender, const Case& c) {
    if (!contender.run) {
      plan(layer, contender);
      contender.run->call(Phase::train_step);
    }
    const Case run = as_run(*contender.backend, c);
    if (const auto after =
            verifier_.after(*contender.backend, run, settings_.seed, *contender.run)) {
      contender.take(*after);
      outcome_.wrong = outcome_.wrong || contender.verdict.failed();
    }
  }

  void plan(Layer& layer, Contender& contender) {
    contender.run = layer.plan(*contender.backend);
    contender.workspace_bytes = contender.run->workspace_bytes();
    contender.implementation = contender.run->implementation();
  }

  /// Whether the plans of all backends can be alive at once and one of them twice, for it to be
  /// judged, beside the tensors, which are already.
  bool fit_together(const Case& c, const std::vector<Contender>& contenders) const {
    const std::size_t free = available_memory();
    std::size_t needed = 0, largest = 0;
    for (const Contender& contender : contenders) {
      const std::size_t bytes = workspace_bytes(*contender.backend, c);
      largest = std::max(largest, bytes);
      if (bytes > free - needed) return false;
      needed += bytes;
    }
    return largest <= free - needed;
  }

  /// Finds how many calls last min_seconds.
  void prepare(Layer& layer, Contender& contender, const Case& c, Phase phase, bool keep) {
    settle_.before_measurement();
    if (!contender.run) plan(layer, contender);
    const double first = contender.run->time(phase, 1).seconds;
    contender.warms_up = warms_up(first, settings_);
    contender.calls = contender.warms_up ? calls_needed(*contender.run, phase) : 1;
    settle_.after_measurement(c.exec.threads);
    if (!keep) contender.run.reset();
  }

  Index calls_needed(LayerRun& run, Phase phase) const {
    constexpr double most_calls = 1e9;
    Index calls = 1;
    for (int attempt = 0; attempt < 4; ++attempt) {
      const double seconds = run.time(phase, calls).seconds;
      if (seconds * static_cast<double>(calls) >= settings_.min_seconds) break;
      // A tenth more than needed: the next calls may be a little faster than these were.
      const double wanted = std::ceil(1.1 * settings_.min_seconds / std::max(seconds, 1e-9));
      calls = static_cast<Index>(std::min(wanted, most_calls));
    }
    return calls;
  }

  void measure_once(Layer& layer, Contender& contender, const Case& c, Phase phase, Index round,
                    bool last, bool keep) {
    const auto share = static_cast<double>(round) / static_cast<double>(settings_.repetitions);
    progress_.show(done_ + share * cost_.case_seconds(*contender.backend, c, settings_),
                   std::string(contender.backend->name()) + ": " + to_string(c));
    settle_.before_measurement();
    const bool planned = contender.run != nullptr;
    if (!planned) plan(layer, contender);
    const auto measure = [&] {
      // Threads sleep, and caches hold what the other backends have left there; the memory of a new
      // plan has never been touched.
      if (contender.warms_up || !planned) contender.run->call(phase);
      const CallTime time = contender.run->time(phase, contender.calls);
      settle_.after_measurement(c.exec.threads);
      settle_.before_measurement();
      return time;
    };
    const CallTime time = undisturbed_(c.exec.threads, measure, [&] { return stopped(); });
    contender.phases[phase].measurements.push_back(
        {round, time.seconds, utc_now(), std::nullopt, time.reorder, time.excluded});
    if (last && !stopped()) judge(layer, contender, c, phase, keep);
    if (!keep) contender.run.reset();
  }

  void write(const Case& c, Phase phase, const std::vector<Contender>& contenders) {
    for (const Contender& contender : contenders) {
      if (const std::string reason = contender.refusal(phase); !reason.empty()) {
        refuse(contender, c, {&phase, 1}, reason);
        continue;
      }
      const auto measured = contender.phases.find(phase);
      if (measured == contender.phases.end()) continue;
      const Verdict verdict = contender.verdict_of(phase);
      const Subject s = subject(contender, c, phase, verdict);
      const auto& measurements = measured->second.measurements;
      journal_.write(s, measurements);
      std::vector<double> seconds;
      for (const Measurement& m : measurements) seconds.push_back(m.seconds);
      const auto noise = relative_noise(seconds);
      const double gflops = s.flops / median(seconds) / 1e9;
      const auto peak = journal_.peak(c);
      const auto of_bound = [&](double bound) { return percent_text(bound / median(seconds)); };
      lines_.push_back(
          {std::string(name_of(phase)), std::string(contender.backend->name()),
           duration_text(median(seconds)), noise ? percent_text(*noise) : "-", number_text(gflops),
           peak ? percent_text(gflops / *peak) : "-",
           s.bound_seconds ? of_bound(*s.bound_seconds) : "-",
           verdict.verified + (is_padded(as_run(*contender.backend, c)) ? ", padded" : "")});
    }
  }

  /// The case's table, and beneath it who refused it and why.
  void print(const Case& c) {
    progress_.clear();
    out_ << to_string(c) << '\n';
    if (!lines_.empty()) {
      constexpr auto right = Table::Align::right;
      Table table({{"phase"},
                   {"backend"},
                   {"time", right},
                   {"noise", right},
                   {"GFLOP/s", right},
                   {"of peak", right},
                   {"of bound", right},
                   {"verified"}});
      for (auto& line : lines_) table.add(std::move(line));
      table.print(out_, "  ");
    }
    for (const auto& [reason, names] : refusals_)
      out_ << "  " << names << ": refused: " << reason << '\n';
    out_ << std::endl;
    lines_.clear();
    refusals_.clear();
  }

  const Settings& settings_;
  const Verifier& verifier_;
  const Limits& limits_;
  CostModel& cost_;
  Journal& journal_;
  std::ostream& out_;
  std::vector<Case> cases_;
  program::Progress progress_;
  Settle settle_;
  Undisturbed undisturbed_;
  Outcome outcome_;
  double done_ = 0;                              ///< estimated seconds of the cases that are done
  std::vector<std::vector<std::string>> lines_;  ///< of the case at hand, for people
  std::map<std::string, std::string> refusals_;  ///< of the case at hand: reason, backends
};

}  // namespace

Outcome run_sweep(const Settings& settings, const Verifier& verifier, CostModel& cost,
                  Journal& journal, std::ostream& out, const Limits& limits) {
  return Sweep(settings, verifier, limits, cost, journal, out).run();
}

}  // namespace bptt::bench
