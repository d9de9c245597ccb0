// A plan: one layer's forward and backward pass, bound to a spec and to how it runs. It owns its
// workspace and the tape that forward leaves for backward, so running allocates nothing.
#pragma once

#include <cstddef>
#include <string>

#include "impls/api/exec.hpp"
#include "impls/api/scalar.hpp"
#include "impls/api/tensors.hpp"

namespace bptt {

/// Seconds that calls of a plan spent on layouts only, because a library wants another one than
/// tensors.hpp has.
struct LayoutSeconds {
  /// Parameters reordered or packed, and their gradients brought back. Parameters change at every
  /// training step, so this is part of what the library costs.
  double weights = 0;
  /// Activations and their gradients copied for this interface alone: who uses the library keeps
  /// them in its layout all the way through a network. Whoever times a call takes this off, and
  /// says so.
  double activations = 0;
};
inline LayoutSeconds operator+(LayoutSeconds a, LayoutSeconds b) {
  return {a.weights + b.weights, a.activations + b.activations};
}
inline LayoutSeconds operator-(LayoutSeconds a, LayoutSeconds b) {
  return {a.weights - b.weights, a.activations - b.activations};
}

/// Not thread-safe: one call at a time on one plan. Different plans may run side by side, except
/// that OpenBLAS has one thread count for the whole process: plans of backends that stand on it
/// (`blas`, `tbb`, `torch`) must then agree on that count, which `tbb` needs to be 1. Instantiated
/// for float, double, long double and std::complex<double> (the last two: naive only).
template <Scalar T>
class Plan {
 public:
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  virtual ~Plan() = default;

  /// Throws Error(usage) where a tensor is not as tensors.hpp has it for this plan's spec.
  void forward(const Params<const T>&, const Inputs<const T>&, const Outputs<T>&);

  /// Needs the parameters and inputs of the forward call before it, unchanged. It consumes the
  /// tape: one backward for each forward, else Error(usage).
  void backward(const Params<const T>&, const Inputs<const T>&, const OutputGrads<const T>&,
                const Grads<T>&);

  /// Memory the plan holds, workspace and tape together.
  virtual std::size_t workspace_bytes() const = 0;

  /// Summed over all calls since the plan was made: take it before and after what is timed. Zero
  /// for a backend that computes in the layout it is given, or does not tell packing from
  /// computing.
  virtual LayoutSeconds layout_seconds() const { return {}; }

  /// Which of its backend's implementations it runs, in the words of the library below: "ref:any",
  /// "native". Empty for a backend that has one only.
  virtual std::string implementation() const { return ""; }

  const Spec& spec() const { return spec_; }
  const Exec& exec() const { return exec_; }

 protected:
  Plan(const Spec& spec, const Exec& exec) : spec_(spec), exec_(exec) {}

 private:
  virtual void do_forward(const Params<const T>&, const Inputs<const T>&, const Outputs<T>&) = 0;
  virtual void do_backward(const Params<const T>&, const Inputs<const T>&,
                           const OutputGrads<const T>&, const Grads<T>&) = 0;

  Spec spec_;
  Exec exec_;
  bool tape_ready_ = false;
};

}  // namespace bptt
