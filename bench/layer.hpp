// Recurrent layers to be timed: tensors that all backends of a case share, and plans of each.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>

#include "bench/grid.hpp"
#include "bench/judge.hpp"

namespace bptt::bench {

/// What a call took: the mean of several.
struct CallTime {
  double seconds = 0;   ///< without `excluded`
  double reorder = 0;   ///< of `seconds`: LayoutSeconds::weights
  double excluded = 0;  ///< taken off the wall time: LayoutSeconds::activations
};

/// A backend's plans on a case's tensors.
class LayerRun {
 public:
  virtual ~LayerRun() = default;
  virtual void forward() = 0;
  virtual void backward() = 0;  ///< after a forward of its own
  virtual std::size_t workspace_bytes() const = 0;
  virtual LayoutSeconds layout_seconds() const = 0;
  virtual std::string implementation() const = 0;  ///< as StackPlan::implementation
  /// The tensors, which are the layer's.
  virtual std::variant<net::StackProblem<float>*, net::StackProblem<double>*> problem() = 0;

  /// Changes a few elements of the inputs (bench/new_inputs.hpp): next to no time.
  virtual void change_inputs() = 0;

  /// One call of a phase, with the forward that a backward needs.
  void call(Phase);
  /// Of one call, the mean of `calls`; a backward's forward is not timed. Each call has inputs of
  /// its own.
  CallTime time(Phase, Index calls);
};

/// Parameters uniform in +-1/sqrt(H) as PyTorch draws them; x, h0, c0 and the gradients dy, dhT,
/// dcT standard normal, x and dy zero beyond a sequence's length.
class Layer {
 public:
  /// Throws Error(unavailable) where the tensors do not fit in memory.
  static std::unique_ptr<Layer> make(const Case&, std::uint64_t seed);
  virtual ~Layer() = default;
  /// Of the case as_run() by the backend. Throws as Backend::plan does. The layer must outlive it.
  virtual std::unique_ptr<LayerRun> plan(const Backend&) = 0;
  /// Judges what the last call of one of the backend's plans has left, with the inputs as that call
  /// had them. Leaves the results of a new plan.
  virtual Difference judge(const Backend&, Phase) = 0;
};

}  // namespace bptt::bench
