// What cases will cost, estimated beforehand: for --dry-run, for the time left, and for refusing
// what would take forever.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "bench/grid.hpp"

namespace bptt::bench {

/// The probe that rates come from, small enough for any backend: T=8, B=16, I=H=128, one thread.
inline constexpr Shape probe_shape{8, 16, 128, 128};

/// Whether a repetition begins with a call that is not counted: one that takes much longer than a
/// repetition has to gains too little by it. A first call may be several times as slow as the
/// others, hardly more than 8 times.
inline bool warms_up(double call_seconds, const Settings& settings) {
  return call_seconds <= 8 * settings.min_seconds;
}

/// Seconds by FLOPs over a backend's rate, which is measured once for each cell, dtype and
/// recomputation by a training step of probe_shape. Larger shapes run at higher rates and threads
/// are taken to help nothing, so large cases are overestimated, never by orders of magnitude.
class CostModel {
 public:
  /// Of one call.
  double call_seconds(const Backend&, const Case&, Phase);
  /// Of all that is run of one backend in one case: verification, then every repetition of every
  /// phase with what is run beside it.
  double case_seconds(const Backend&, const Case&, const Settings&);
  /// refusal(), or that one call of one of the phases would exceed settings.max_call_seconds.
  std::optional<std::string> refusal(const Backend&, const Case&, const Settings&);

 private:
  double rate(const Backend&, const Case&);

  std::map<std::string, double> rates_;  ///< FLOP/s by backend, cell, dtype and recomputation
};

}  // namespace bptt::bench
