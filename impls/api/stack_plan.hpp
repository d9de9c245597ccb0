// A plan of a whole stack: several layers, both directions, or both. A backend may make one
// (Backend::plan_stack); for every other backend impls/net composes one of plans of single layers.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "impls/api/plan.hpp"
#include "impls/api/stack_tensors.hpp"

namespace bptt {

/// Plan once, run many, as Plan does for one layer: running allocates nothing (a peer's may), and
/// one backward belongs to one forward, with that forward's parameters and inputs unchanged.
/// Padding is not read and is zero in y and in every gradient. Optional tensors may be absent as in
/// a layer's. Not thread-safe. Instantiated for float, double, long double and
/// std::complex<double>.
template <Scalar T>
class StackPlan {
 public:
  StackPlan(const StackPlan&) = delete;
  StackPlan& operator=(const StackPlan&) = delete;
  virtual ~StackPlan() = default;

  /// Both throw Error(usage) naming the tensor, the extents expected and what came.
  void forward(std::span<const Params<const T>>, const Inputs<const T>&, const Outputs<T>&);
  void backward(std::span<const Params<const T>>, const Inputs<const T>&,
                const OutputGrads<const T>&, const StackGrads<T>&);

  /// Memory that it holds, in bytes.
  virtual std::size_t workspace_bytes() const = 0;
  /// As Plan::layout_seconds.
  virtual LayoutSeconds layout_seconds() const { return {}; }
  /// As Plan::implementation.
  virtual std::string implementation() const { return ""; }

  const StackSpec& spec() const { return spec_; }

 protected:
  explicit StackPlan(const StackSpec& spec) : spec_(spec) {}

 private:
  virtual void do_forward(std::span<const Params<const T>>, const Inputs<const T>&,
                          const Outputs<T>&) = 0;
  virtual void do_backward(std::span<const Params<const T>>, const Inputs<const T>&,
                           const OutputGrads<const T>&, const StackGrads<T>&) = 0;

  StackSpec spec_;
  bool tape_ready_ = false;
};

}  // namespace bptt
