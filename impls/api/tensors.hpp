// The tensors of one recurrent layer, by role: views, their names and the extents they must have.
//
// Names and gate order are PyTorch's (a state dict of a one-layer nn.RNN, nn.LSTM, nn.GRU maps one
// to one), time-major and row-major. A visitor per structure is the one place that lists its
// members; checks, copies, comparisons and files all go through it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "impls/api/spec.hpp"
#include "impls/api/view.hpp"

namespace bptt {

/// Parameters. G = spec.cell.gates(), gate blocks in the order of Cell::gate_name.
template <class T>
struct Params {
  View<T> weight_ih;          ///< [G*H,I]
  View<T> weight_hh;          ///< [G*H,H]
  View<T> bias_ih;            ///< [G*H], absent without bias
  View<T> bias_hh;            ///< [G*H], absent without bias
  View<T> weight_peephole{};  ///< [3,H] of the gates i, f, o; absent without peepholes

  operator Params<const T>() const requires(!std::is_const_v<T>) {
    return {weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole};
  }
};

template <class T>
struct Inputs {
  View<T> x;   ///< [T,B,I]
  View<T> h0;  ///< [B,H]; absent: zero
  View<T> c0;  ///< [B,H], lstm only; absent: zero
  /// [B], each in [0,T]; given exactly where the spec has lengths. Steps at and beyond a sequence's
  /// length are padding: x there is not read, y and gradients there are zero.
  std::span<const Index> lengths{};

  operator Inputs<const T>() const requires(!std::is_const_v<T>) { return {x, h0, c0, lengths}; }
};

/// What forward gives.
template <class T>
struct Outputs {
  View<T> y;   ///< [T,B,H]
  View<T> hT;  ///< [B,H], each sequence's state at its own end; absent: not wanted
  View<T> cT;  ///< [B,H], lstm only; absent: not wanted
};

/// The gradient of the loss with respect to what forward gave.
template <class T>
struct OutputGrads {
  View<T> y;   ///< dy [T,B,H]; absent: zero
  View<T> hT;  ///< dhT [B,H]; absent: zero
  View<T> cT;  ///< dcT [B,H], lstm only; absent: zero

  operator OutputGrads<const T>() const requires(!std::is_const_v<T>) { return {y, hT, cT}; }
};

/// What backward gives: the gradient with respect to every parameter and input. Each is
/// overwritten, not added to; an absent one is not wanted, and is not computed where that saves
/// work.
template <class T>
struct Grads {
  Params<T> params;
  View<T> x, h0, c0;  ///< extents as in Inputs
};

/// A tensor's name as messages and files have it, and the extents a spec gives it; rank 0 where the
/// spec has no such tensor (a bias without bias, c0 of a gru).
struct TensorInfo {
  std::string_view base_name;  ///< "weight_ih_l0", "x", "dy", ...
  Extents extents;
  bool is_gradient = false;

  /// "weight_ih_l0", or "grad.weight_ih_l0" of a gradient.
  std::string name() const { return (is_gradient ? "grad." : "") + std::string(base_name); }
};

/// Each calls visit(TensorInfo, view) for its structure's members in a fixed order.
template <class T, class Visit>
void for_each(const Spec& spec, const Params<T>& p, Visit&& visit) {
  const Index rows = spec.cell.gates() * spec.shape.H;
  const Extents bias = spec.cell.bias ? Extents{rows} : Extents{};
  const Extents peephole = spec.cell.peephole ? Extents{3, spec.shape.H} : Extents{};
  visit(TensorInfo{"weight_ih_l0", {rows, spec.shape.I}}, p.weight_ih);
  visit(TensorInfo{"weight_hh_l0", {rows, spec.shape.H}}, p.weight_hh);
  visit(TensorInfo{"bias_ih_l0", bias}, p.bias_ih);
  visit(TensorInfo{"bias_hh_l0", bias}, p.bias_hh);
  visit(TensorInfo{"weight_peephole_l0", peephole}, p.weight_peephole);
}

inline Extents state_extents(const Spec& spec) {
  return {spec.shape.B, spec.shape.H};
}
inline Extents cell_state_extents(const Spec& spec) {
  return spec.cell.has_cell_state() ? state_extents(spec) : Extents{};
}

template <class T, class Visit>
void for_each(const Spec& spec, const Inputs<T>& in, Visit&& visit) {
  visit(TensorInfo{"x", {spec.shape.T, spec.shape.B, spec.shape.I}}, in.x);
  visit(TensorInfo{"h0", state_extents(spec)}, in.h0);
  visit(TensorInfo{"c0", cell_state_extents(spec)}, in.c0);
}

template <class T, class Visit>
void for_each(const Spec& spec, const Outputs<T>& out, Visit&& visit) {
  visit(TensorInfo{"y", {spec.shape.T, spec.shape.B, spec.shape.H}}, out.y);
  visit(TensorInfo{"hT", state_extents(spec)}, out.hT);
  visit(TensorInfo{"cT", cell_state_extents(spec)}, out.cT);
}

template <class T, class Visit>
void for_each(const Spec& spec, const OutputGrads<T>& d, Visit&& visit) {
  visit(TensorInfo{"dy", {spec.shape.T, spec.shape.B, spec.shape.H}}, d.y);
  visit(TensorInfo{"dhT", state_extents(spec)}, d.hT);
  visit(TensorInfo{"dcT", cell_state_extents(spec)}, d.cT);
}

template <class T, class Visit>
void for_each(const Spec& spec, const Grads<T>& grads, Visit&& visit) {
  const auto as_gradient = [&](const TensorInfo& info, const View<T>& view) {
    visit(TensorInfo{info.base_name, info.extents, true}, view);
  };
  for_each(spec, Inputs<T>{grads.x, grads.h0, grads.c0, {}}, as_gradient);
  for_each(spec, grads.params, as_gradient);
}

/// Throws Error(usage) naming the tensor, the extents expected and what came, where the view is
/// neither absent nor as the spec has it; absence is an error where the tensor is `required` and
/// the spec has it. Runs at every call of a plan: it allocates nothing unless it fails.
enum class Presence { required, optional };
void check_extents(const TensorInfo&, bool present, const Extents& came, Presence);

}  // namespace bptt
