// A model of the least time that a call takes on this machine: its arithmetic at the highest rate
// that was measured, its memory traffic at the bandwidth that was measured, whichever takes longer,
// part by part. A roofline, not a proof: docs/measuring.md derives the counts and says what the
// model leaves out, in either direction.
#pragma once

#include <optional>
#include <vector>

#include "bench/grid.hpp"
#include "bench/limits/limits.hpp"

namespace bptt::bench {

/// A part of a call whose arithmetic and traffic can overlap. Traffic that happens once in a call
/// comes from wherever all that the phase touches fits; the recurrent weights are read at every
/// step, from wherever they alone fit.
struct Work {
  double flops = 0;
  double bytes_once = 0;
  double weight_bytes = 0;  ///< of the recurrent weights; 0 where the part does not loop over time
  double passes = 0;        ///< how often those are read: T
};

/// The parts of one call of one layer in one direction: in forward, the product with the input and
/// the recurrence; in backward, the recurrence, dx and the gradients of the weights. Of
/// `live_steps` steps of sequences; none: T*B.
std::vector<Work> work_of(const Spec&, Dtype, Phase, Mode, std::optional<Index> live_steps = {});

/// What one call of a phase reads or writes at live steps of the interface's tensors, each counted
/// once: where that fits, it stays from call to call.
double touched_bytes(const Case&, Phase);

/// Compulsory traffic of one call of all layers: every tensor of the interface once for each part
/// that needs it, and the recurrent weights once for each step.
double least_bytes(const Case&, Phase);

/// Seconds; nothing where the limits were not measured for the case's dtype and threads.
/// `gemm_flops`, FLOP/s of a large GEMM, counts where it is above the limits' own.
std::optional<double> bound_seconds(const Case&, Phase, const Limits&,
                                    std::optional<double> gemm_flops);

}  // namespace bptt::bench
