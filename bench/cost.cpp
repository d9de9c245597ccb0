#include "bench/cost.hpp"

#include <algorithm>
#include <exception>
#include <limits>

#include "bench/layer.hpp"
#include "bench/table.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {

namespace {

/// FLOP/s of a training step. Throws where the backend does not run the case.
double measured_rate(const Backend& backend, const Case& probe) {
  const auto layer = Layer::make(probe, 1);
  const auto run = layer->plan(backend);
  run->call(Phase::train_step);
  // The best of a few, where it costs nothing: a single call is easily disturbed.
  double best = run->time(Phase::train_step, 1).seconds, spent = best;
  while (spent < 0.02) {
    const double seconds = run->time(Phase::train_step, 1).seconds;
    best = std::min(best, seconds);
    spent += seconds;
  }
  return flops_of(Phase::train_step, probe) / best;
}

/// The case with the steps that the backend computes.
Case computed(const Backend& backend, const Case& c) {
  Case run = as_run(backend, c);
  if (is_padded(run)) run.lengths = {};
  return run;
}

}  // namespace

double CostModel::rate(const Backend& backend, const Case& c) {
  const std::string key = std::string(backend.name()) + " " + to_string(c.spec.cell) + " " +
                          std::string(name_of(c.dtype)) + " " +
                          std::string(name_of(c.exec.recompute));
  if (const auto known = rates_.find(key); known != rates_.end()) return known->second;
  Case probe;
  probe.spec = {.cell = c.spec.cell, .shape = probe_shape};
  probe.dtype = c.dtype;
  probe.exec.recompute = c.exec.recompute;
  try {
    return rates_[key] = measured_rate(backend, probe);
  } catch (const std::exception&) {
    // Nothing is known about it: its cases count as free, and none is refused for its time. Where
    // it fails there as well, the case's rows say so.
    return rates_[key] = std::numeric_limits<double>::infinity();
  }
}

double CostModel::call_seconds(const Backend& backend, const Case& c, Phase phase) {
  return flops_of(phase, computed(backend, c)) / rate(backend, c);
}

double CostModel::case_seconds(const Backend& backend, const Case& c, const Settings& settings) {
  // Verification runs the backend once, and the reference over three rows of the batch in the next
  // higher precision, cut down to what takes about a second (verify/at_shape.hpp).
  const auto batch = static_cast<double>(c.spec.shape.B);
  const Index steps = live_steps(computed(backend, c));
  double seconds = 0;
  for (const auto& [spec, plans] : c.spec.different_layers()) {
    const double training = 3 * forward_flops(spec, steps);
    const double reference = std::min(training * std::min(3.0, batch) / batch, 1e9);
    seconds += training / rate(backend, c) + 1.5 * reference / rate(*backends().front(), c);
  }
  for (const Phase phase : settings.phases) {
    const double call = call_seconds(backend, c, phase);
    const double repetition = std::max(call, settings.min_seconds);
    // A backward that is timed has an untimed forward ahead of it.
    const double with_forward = phase == Phase::backward ? 1.5 : 1;
    const double untimed =
        (with_forward - 1) * repetition + (warms_up(call, settings) ? with_forward * call : 0);
    double rounds = settings.repetitions;
    if (settings.case_seconds > 0) {
      // The backends of a case share its time.
      const double share = settings.case_seconds / static_cast<double>(settings.backends.size());
      rounds = std::clamp(share / (repetition + untimed), std::min<double>(rounds, least_rounds),
                          rounds);
    }
    seconds += rounds * (repetition + untimed) + call + std::min(call, settings.min_seconds);
    // What the last call has left is judged by a call of a new plan (bench/judge.hpp).
    seconds += with_forward * call;
  }
  // The plan that was timed is verified once more.
  return seconds + call_seconds(backend, c, Phase::train_step);
}

std::optional<std::string> CostModel::refusal(const Backend& backend, const Case& c,
                                              const Settings& settings) {
  if (auto reason = bench::refusal(backend, c)) return reason;
  for (const Phase phase : settings.phases) {
    const double seconds = call_seconds(backend, c, phase);
    if (seconds <= settings.max_call_seconds) continue;
    return "one " + std::string(name_of(phase)) + " would take about " + duration_text(seconds) +
           ", more than " + duration_text(settings.max_call_seconds) + " (--max-call)";
  }
  return std::nullopt;
}

}  // namespace bptt::bench
