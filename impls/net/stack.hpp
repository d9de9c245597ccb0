// A stack of recurrent layers, deep or bidirectional or both, over plans of any backend.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "impls/api/tensor.hpp"
#include "impls/net/model.hpp"
#include "impls/net/stack_spec.hpp"

namespace bptt::net {

// A stack's tensors come in the same structures as a layer's (impls/api/tensors.hpp), with
//   x [T,B,I]   y, dy [T,B,D*H]   h0, c0, hT, cT, dhT, dcT [L*D,B,H]
// and one Params for each layer and direction, in the order of the states.

template <class T>
struct StackGrads {
  std::span<const Params<T>> params;  ///< L*D; empty: none wanted; absent views: not wanted
  View<T> x, h0, c0;                  ///< extents as in Inputs; absent: not wanted
};

/// The same parameters, read only.
template <Scalar T>
std::vector<Params<const T>> read_only(const std::vector<Params<T>>& params) {
  return {params.begin(), params.end()};
}

/// Of h0, c0, hT, ...; rank 0 where the cell has no such state.
inline Extents state_extents(const StackSpec& spec) {
  return {spec.states(), spec.shape.B, spec.shape.H};
}
inline Extents cell_state_extents(const StackSpec& spec) {
  return spec.cell.has_cell_state() ? state_extents(spec) : Extents{};
}
inline Extents output_extents(const StackSpec& spec) {
  return {spec.shape.T, spec.shape.B, spec.output_width()};
}

/// Each calls visit(TensorInfo, view) as the visitors of a layer do. (Parameters: name by
/// parameter_name, extents by those of layer_spec.)
template <class T, class Visit>
void for_each(const StackSpec& spec, const Inputs<T>& in, Visit&& visit) {
  visit(TensorInfo{"x", {spec.shape.T, spec.shape.B, spec.shape.I}}, in.x);
  visit(TensorInfo{"h0", state_extents(spec)}, in.h0);
  visit(TensorInfo{"c0", cell_state_extents(spec)}, in.c0);
}

template <class T, class Visit>
void for_each(const StackSpec& spec, const Outputs<T>& out, Visit&& visit) {
  visit(TensorInfo{"y", output_extents(spec)}, out.y);
  visit(TensorInfo{"hT", state_extents(spec)}, out.hT);
  visit(TensorInfo{"cT", cell_state_extents(spec)}, out.cT);
}

template <class T, class Visit>
void for_each(const StackSpec& spec, const OutputGrads<T>& d, Visit&& visit) {
  visit(TensorInfo{"dy", output_extents(spec)}, d.y);
  visit(TensorInfo{"dhT", state_extents(spec)}, d.hT);
  visit(TensorInfo{"dcT", cell_state_extents(spec)}, d.cT);
}

/// Plan once, run many, as a Plan: running allocates nothing, one backward for each forward, with
/// that forward's parameters and inputs unchanged. Padding is not read and is zero in y and in
/// every gradient. A stack of one layer and direction is its plan: nothing is copied. Optional
/// tensors may be absent as in a layer's.
template <Scalar T>
class Stack {
 public:
  /// Throws Error(usage) for a spec that is not valid, Error(unavailable) where its buffers do not
  /// fit in memory, before anything is allocated; then whatever the maker throws.
  Stack(const StackSpec&, const PlanMaker<T>&);

  /// Both throw Error(usage) naming the tensor, the extents expected and what came.
  void forward(std::span<const Params<const T>>, const Inputs<const T>&, const Outputs<T>&);
  void backward(std::span<const Params<const T>>, const Inputs<const T>&,
                const OutputGrads<const T>&, const StackGrads<T>&);

  /// Of its plans and of its own buffers.
  std::size_t workspace_bytes() const;
  /// Of its plans.
  LayoutSeconds layout_seconds() const;
  /// What a stack holds beside its plans.
  static std::size_t buffer_bytes(const StackSpec&);

  const StackSpec& spec() const { return spec_; }

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
  void forward_both(Index layer, std::span<const Params<const T>>, const Inputs<const T>&,
                    const Outputs<T>&, View<T> y);
  void backward_unit(const Unit&, const OutputGrads<const T>&, const StackGrads<T>&,
                     View<const T> dy, View<T> dx);
  void backward_both(Index layer, std::span<const Params<const T>>, const Inputs<const T>&,
                     const OutputGrads<const T>&, const StackGrads<T>&, View<const T> dy,
                     View<T> dx);
  void check(std::span<const Params<const T>>, const Inputs<const T>&) const;
  template <class U>
  void check_params(std::span<const Params<U>>, Presence, bool are_gradients) const;

  StackSpec spec_;
  std::vector<std::unique_ptr<Plan<T>>> plans_;  ///< L*D
  std::vector<Tensor<T>> outputs_;               ///< y [T,B,D*H] of every layer but the last
  std::vector<Tensor<T>> doutputs_;              ///< gradients of two of them at a time
  Tensor<T> reversed_x_, reversed_dx_;           ///< [T,B,widest input], bidirectional
  std::array<Tensor<T>, 2> direction_y_;         ///< [T,B,H] of each direction, y or dy
  std::unique_ptr<SideBySide> side_by_side_;     ///< null: directions run one after the other
};

}  // namespace bptt::net
