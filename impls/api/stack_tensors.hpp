// The tensors of a stack of layers, by role. They come in a layer's structures (tensors.hpp), with
//   x [T,B,I]   y, dy [T,B,D*H]   h0, c0, hT, cT, dhT, dcT [L*D,B,H]
// and one Params for each layer and direction, in the order of the states.
#pragma once

#include <span>

#include "impls/api/stack_spec.hpp"
#include "impls/api/tensors.hpp"

namespace bptt {

template <class T>
struct StackGrads {
  std::span<const Params<T>> params;  ///< L*D; empty: none wanted; absent views: not wanted
  View<T> x, h0, c0;                  ///< extents as in Inputs; absent: not wanted
};

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

/// The part [B,H] of one layer and direction of states [L*D,B,H]; absent where they are.
template <class T>
View<T> state_of(const View<T>& states, Index index) {
  if (!states) return {};
  const Index B = states.extents()[1], H = states.extents()[2];
  return {states.data() + index * B * H, {B, H}};
}

}  // namespace bptt
