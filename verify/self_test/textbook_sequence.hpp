// One sequence in the textbook of mistaken_textbook.hpp: its states, and the sums that all cells
// share. Plain vectors; nothing here is meant to be fast.
#pragma once

#include <vector>

#include "impls/naive/math.hpp"
#include "verify/self_test/mistaken_textbook.hpp"

namespace bptt::verify::textbook_bptt {

template <class T>
using Vector = std::vector<T>;

template <Scalar T>
struct Sequence {
  const Spec& spec;
  Mistake mistake;
  const Params<const T>& w;
  const Inputs<const T>& in;
  Index b;       ///< which of the batch
  Index length;  ///< live steps
  Index H = spec.shape.H, I = spec.shape.I;

  /// State 0 is the initial one, state t+1 that after step t.
  std::vector<Vector<T>> h{}, c{};
  std::vector<Vector<T>> p{}, gate{};  ///< [G*H] of each step
  std::vector<Vector<T>> product{};    ///< gru: [H] of each step, W_hn h_{t-1} + b_hn

  bool is(Mistake of) const { return mistake == of; }
  const T* x(Index t) const { return &in.x(t, b, 0); }

  /// Which block of rows gate g of the equations has.
  Index block(Index g) const {
    const Index from = is(Mistake::gates_read_as_ifog) ? 2 : 0;
    const bool swapped = is(Mistake::gates_read_as_ifog) || is(Mistake::input_and_forget_swapped) ||
                         is(Mistake::reset_and_update_swapped);
    return swapped && (g == from || g == from + 1) ? 2 * from + 1 - g : g;
  }
  Index row(Index g, Index j) const { return block(g) * H + j; }

  /// What the recurrent product reads at step t.
  const Vector<T>& h_before(Index t) const {
    return h[is(Mistake::state_two_steps_old) && t > 0 ? t - 1 : t];
  }
  T weight_hh(Index r, Index k) const {
    if (is(Mistake::weight_hh_transposed)) return w.weight_hh(r / H * H + k, r % H);
    return w.weight_hh(r, k);
  }
  T bias_hh(Index r) const {
    return is(Mistake::bias_hh_forgotten) ? T(0) : naive::bias(w.bias_hh, r);
  }
  T from_input(Index r, Index t) const {
    T sum = naive::bias(w.bias_ih, r);
    for (Index k = 0; k < I; ++k) sum += w.weight_ih(r, k) * x(t)[k];
    return sum;
  }
  T from_state(Index r, const Vector<T>& state) const {
    T sum = bias_hh(r);
    for (Index k = 0; k < H; ++k) sum += weight_hh(r, k) * state[k];
    return sum;
  }
};

/// What backward carries and fills.
template <Scalar T>
struct Carried {
  const Grads<T>& grads;
  Vector<T> dh, dc;            ///< of the state after the step
  Vector<T> dh_prev, dc_prev;  ///< of the state before it

  /// The gradient dp of a preactivation: `to_input` as W_ih x + b_ih has it, `to_state` as
  /// W_hh s + b_hh has it, at step t. Adds W_hh^T to_state to ds.
  void add(const Sequence<T>& s, Index t, Index g, Index j, T to_input, T to_state,
           const Vector<T>& state, Vector<T>& ds) {
    const auto& d = grads.params;
    Index r = s.row(g, j);
    for (Index k = 0; k < s.H; ++k) ds[k] += to_state * s.weight_hh(r, k);
    const bool last_gate = g == s.spec.cell.gates() - 1;
    if (grads.x && !(s.is(Mistake::dx_without_last_gate) && last_gate)) {
      for (Index k = 0; k < s.I; ++k) grads.x(t, s.b, k) += to_input * s.w.weight_ih(r, k);
    }
    if (s.is(Mistake::gradient_rows_swapped) && g < 2) r = s.row(1 - g, j);
    const Index x_step = s.is(Mistake::weight_ih_with_old_input) ? std::max<Index>(t - 1, 0) : t;
    naive::add_outer(d.weight_ih, r, to_input, s.x(x_step));
    add_weight_hh(s, t, r, to_state, s.is(Mistake::weight_hh_with_new_state) ? s.h[t + 1] : state);
    if (s.is(Mistake::bias_without_first_step) && t == 0) return;
    naive::add_bias(d.bias_ih, r, to_input);
    if (!s.is(Mistake::bias_hh_forgotten)) naive::add_bias(d.bias_hh, r, to_state);
  }

 private:
  void add_weight_hh(const Sequence<T>& s, Index t, Index r, T dp, const Vector<T>& state) {
    const auto& dw = grads.params.weight_hh;
    if (!dw || (s.is(Mistake::weight_hh_without_first_step) && t == 0)) return;
    const bool transposed =
        s.is(Mistake::weight_hh_transposed) || s.is(Mistake::weight_hh_gradient_transposed);
    for (Index k = 0; k < s.H; ++k) {
      (transposed ? dw(r / s.H * s.H + k, r % s.H) : dw(r, k)) += dp * state[k];
    }
  }
};

}  // namespace bptt::verify::textbook_bptt
