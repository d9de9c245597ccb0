// The cases of a sweep, and what each would need.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/settings.hpp"
#include "impls/api/stack_spec.hpp"

namespace bptt::bench {

/// What the same plans run: one row of the grid. Its phases are measured one after the other.
struct Case {
  StackSpec spec;
  Dtype dtype = Dtype::f32;
  Exec exec;
  Mode mode = Mode::full_layer;
  /// Of the sequences. Where there are any, spec.lengths says whether the backend is given them
  /// (as_run).
  Spread lengths = {};
};
/// "lstm f32 T=50 B=64 I=128 H=128, 2 layers, both directions, recompute=gates, 2 threads"; what is
/// ordinary is left out.
std::string to_string(const Case&);

/// The sum of the lengths; T*B where there are none.
Index live_steps(const Case&);

/// Of one call, over live steps, as the case's mode counts them; train_step is forward and
/// backward.
double flops_of(Phase, const Case&);

/// Every combination, threads innermost.
std::vector<Case> expand(const Settings&);

/// The case as the backend runs it: with lengths where it takes them, else padded, that is as if
/// all sequences were of T steps. Throws as Backend::refusal does for a spec that is not valid.
Case as_run(const Backend&, const Case&);
/// Whether steps that are not live are computed in what as_run() gave.
bool is_padded(const Case&);

/// The tensors that all backends of a case share.
std::size_t tensor_bytes(const Case&);
/// One more set of results, with which those of a call that was timed are compared.
std::size_t result_bytes(const Case&);
/// What a backend's plans of all layers take, and what connects the layers.
std::size_t workspace_bytes(const Backend&, const Case&);

/// Why a backend does not run a case, in words a user understands: its own reason, too few
/// processors, or too little memory for the tensors and its workspace. Allocates nothing.
std::optional<std::string> refusal(const Backend&, const Case&);

}  // namespace bptt::bench
