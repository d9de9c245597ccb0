// A backend in a case of the sweep: what is known about it, and what was measured.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/journal.hpp"
#include "bench/layer.hpp"

namespace bptt::bench {

struct Contender {
  explicit Contender(const Backend& of) : backend(&of) {}

  /// Of one phase.
  struct Measured {
    std::vector<Measurement> measurements;
    bool judged = false;  ///< what the last call has left; see `objection`
  };

  const Backend* backend;
  Verdict verdict;
  std::unique_ptr<LayerRun> run;
  std::optional<std::size_t> workspace_bytes;  ///< of the plan
  std::string implementation;                  ///< that the plan runs
  Index calls = 0;                             ///< in a repetition of the phase at hand
  bool warms_up = false;                       ///< each repetition of it with one more call
  std::map<Phase, Measured> phases;
  std::string failure;    ///< what went unexpectedly wrong; empty where nothing
  std::string objection;  ///< why what was measured does not count; empty where nothing is wrong

  bool is_out() const { return !failure.empty() || !objection.empty(); }
  /// Why a phase has no measured rows; empty where it has.
  std::string refusal(Phase phase) const {
    if (!objection.empty()) return objection;
    const auto found = phases.find(phase);
    const bool complete = found != phases.end() && found->second.judged;
    return failure.empty() || complete ? "" : "failed unexpectedly: " + failure;
  }
  /// With whether what was measured of the phase was judged.
  Verdict verdict_of(Phase phase) const {
    if (phases.at(phase).judged) return verdict;
    return {"no", verdict.max_error, "interrupted before the results of timed calls were judged"};
  }

  /// Takes what was found out after calls were timed.
  void take(const Difference& difference) {
    take_error(difference.error);
    if (!difference.is_wrong()) return;
    objection = "results of timed calls are wrong: " + difference.what;
    verdict.verified = "failed";
  }
  void take(const Verdict& after) {
    if (after.max_error) take_error(*after.max_error);
    const std::string reason = after.objection();
    if (reason.empty()) return;
    objection = "after it was timed, " + reason;
    verdict.verified = after.verified;
  }

 private:
  void take_error(double error) {
    if (!(error <= verdict.max_error.value_or(0))) verdict.max_error = error;
  }
};

}  // namespace bptt::bench
