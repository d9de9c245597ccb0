// A stack made of one plan for each layer and direction, of any backend.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "impls/api/stack_plan.hpp"
#include "impls/api/tensor.hpp"
#include "impls/net/plan_maker.hpp"

namespace bptt::net {

/// A stack of one layer and direction is its plan: nothing is copied.
template <Scalar T>
class ComposedStack final : public StackPlan<T> {
 public:
  /// Throws Error(usage) for a spec that is not valid, Error(unavailable) where its buffers do not
  /// fit in memory, before anything is allocated; then whatever the maker throws.
  ComposedStack(const StackSpec&, const PlanMaker<T>&);

  /// Of its plans and of its own buffers.
  std::size_t workspace_bytes() const override;
  /// Of its plans.
  LayoutSeconds layout_seconds() const override;
  /// Of its plans: each that differs, once.
  std::string implementation() const override;
  /// What it holds beside its plans.
  static std::size_t buffer_bytes(const StackSpec&);

 private:
  /// One plan's call, with its states picked from those of the stack.
  struct Unit {
    Plan<T>& plan;
    Index index;  ///< of its parameters and states
    Params<const T> params;
    Inputs<const T> in;
  };
  Unit unit(Index layer, Index direction, std::span<const Params<const T>>,
            const Inputs<const T>& in);
  /// What a layer reads.
  View<const T> input(Index layer, const Inputs<const T>&) const;
  /// For its reverse direction.
  void reverse_input(Index layer, const Inputs<const T>&);
  /// body(0) and body(1), of the two directions: at the same time, or one after the other.
  template <class Body>
  void for_both(const Body&);
  void do_forward(std::span<const Params<const T>>, const Inputs<const T>&,
                  const Outputs<T>&) override;
  void do_backward(std::span<const Params<const T>>, const Inputs<const T>&,
                   const OutputGrads<const T>&, const StackGrads<T>&) override;
  void forward_both(Index layer, std::span<const Params<const T>>, const Inputs<const T>&,
                    const Outputs<T>&, View<T> y);
  void backward_unit(const Unit&, const OutputGrads<const T>&, const StackGrads<T>&,
                     View<const T> dy, View<T> dx);
  void backward_both(Index layer, std::span<const Params<const T>>, const Inputs<const T>&,
                     const OutputGrads<const T>&, const StackGrads<T>&, View<const T> dy,
                     View<T> dx);

  std::vector<std::unique_ptr<Plan<T>>> plans_;  ///< L*D
  std::vector<Tensor<T>> outputs_;               ///< y [T,B,D*H] of every layer but the last
  std::vector<Tensor<T>> doutputs_;              ///< gradients of two of them at a time
  Tensor<T> reversed_x_, reversed_dx_;           ///< [T,B,widest input], bidirectional
  std::array<Tensor<T>, 2> direction_y_;         ///< [T,B,H] of each direction, y or dy
  std::unique_ptr<SideBySide> side_by_side_;     ///< null: directions run one after the other
};

}  // namespace bptt::net
