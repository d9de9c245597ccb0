// One step of each cell in the textbook of mistaken_textbook.hpp, forward and backward, with the
// mistakes that an equation can have. Equations: docs/equations.md.
#pragma once

#include "verify/self_test/textbook_sequence.hpp"

namespace bptt::verify::textbook_bptt {

/// phi' from p and h = phi(p), as right or as wrong as the mistake wants it.
template <Scalar T>
T slope(const Sequence<T>& s, Activation phi, T p, T h) {
  if (phi == Activation::tanh && s.is(Mistake::slope_at_preactivation)) return T(1) - p * p;
  if (phi == Activation::tanh && s.is(Mistake::slope_without_square)) return T(1) - h;
  if (phi == Activation::sigmoid && s.is(Mistake::sigmoid_slope_is_sigmoid)) return h;
  if (phi == Activation::relu && s.is(Mistake::sigmoid_slope_for_relu)) return h * (T(1) - h);
  if (phi == Activation::leaky_relu && std::real(h) <= 0) {
    if (s.is(Mistake::leaky_slope_is_zero)) return T(0);
    if (s.is(Mistake::leaky_slope_of_a_tenth)) return T(0.1);
  }
  return naive::slope(phi, h);
}

template <Scalar T>
struct Rnn {
  static void forward(Sequence<T>& s, Index t) {
    const Activation phi = s.spec.cell.activation;
    for (Index j = 0; j < s.H; ++j) {
      const T p = s.from_input(j, t) + s.from_state(j, s.h_before(t));
      s.p[t][j] = p;
      const bool negative = !(std::real(p) > 0);
      s.h[t + 1][j] =
          s.is(Mistake::leaky_slope_of_a_tenth) && negative ? T(0.1) * p : naive::activate(phi, p);
    }
  }
  static void backward(const Sequence<T>& s, Index t, Carried<T>& d) {
    for (Index j = 0; j < s.H; ++j) {
      const T dp = d.dh[j] * slope(s, s.spec.cell.activation, s.p[t][j], s.h[t + 1][j]);
      d.add(s, t, 0, j, dp, dp, s.h_before(t), d.dh_prev);
    }
  }
};

template <Scalar T>
struct Lstm {
  enum Gate : Index { input, forget, candidate, output };

  static bool reads_cell(const Sequence<T>& s, Index g) {
    return s.spec.cell.gate_input == GateInput::cell && g != candidate &&
           !s.is(Mistake::cell_gates_read_hidden);
  }
  static T peephole(const Sequence<T>& s, Index k, Index j) {
    return s.spec.cell.peephole ? s.w.weight_peephole(k, j) : T(0);
  }
  static const Vector<T>& cell_seen_by_output(const Sequence<T>& s, Index t) {
    return s.c[s.is(Mistake::output_sees_old_cell) ? t : t + 1];
  }
  static Activation psi(const Sequence<T>& s) {
    return s.is(Mistake::cell_not_squashed) ? Activation::identity : s.spec.cell.output;
  }
  static Activation phi(const Sequence<T>& s) {
    return s.is(Mistake::candidate_by_sigmoid) ? Activation::sigmoid : s.spec.cell.candidate;
  }

  static void forward(Sequence<T>& s, Index t) {
    const Cell& cell = s.spec.cell;
    for (Index j = 0; j < s.H; ++j) {
      T p[4];
      for (Index g = 0; g < 4; ++g) {
        const Vector<T>& state = reads_cell(s, g) ? s.c[t] : s.h_before(t);
        p[g] = s.from_input(s.row(g, j), t) + s.from_state(s.row(g, j), state);
      }
      if (s.is(Mistake::forget_bias_of_one_added)) p[forget] += T(1);
      p[input] += peephole(s, 0, j) * s.c[t][j];
      p[forget] += peephole(s, 1, j) * s.c[t][j];
      const T f = cell.forget_gate ? naive::sigmoid(p[forget]) : T(1);
      T i = cell.input_gate ? naive::sigmoid(p[input]) : T(1);
      if (cell.coupled) i = s.is(Mistake::coupled_without_one_minus) ? f : T(1) - f;
      const T g = naive::activate(phi(s), p[candidate]);
      s.c[t + 1][j] = f * s.c[t][j] + i * g;
      p[output] += peephole(s, 2, j) * cell_seen_by_output(s, t)[j];
      const T o = cell.output_gate ? naive::sigmoid(p[output]) : T(1);
      s.h[t + 1][j] = o * naive::activate(psi(s), s.c[t + 1][j]);
      const T gates[4] = {i, f, g, o};
      for (Index k = 0; k < 4; ++k) {
        s.p[t][k * s.H + j] = p[k];
        s.gate[t][k * s.H + j] = gates[k];
      }
    }
  }

  static void backward(const Sequence<T>& s, Index t, Carried<T>& d) {
    const Cell& cell = s.spec.cell;
    for (Index j = 0; j < s.H; ++j) {
      const T i = s.gate[t][j], f = s.gate[t][s.H + j], g = s.gate[t][2 * s.H + j],
              o = s.gate[t][3 * s.H + j];
      const T c_old = s.c[t][j], c_new = s.c[t + 1][j], dh = d.dh[j];
      const T squashed = naive::activate(psi(s), c_new);
      const T seen =
          s.is(Mistake::psi_slope_at_old_cell) ? naive::activate(psi(s), c_old) : squashed;
      const T slope_o = s.is(Mistake::sigmoid_slope_is_sigmoid) ? o : o * (T(1) - o);
      const T dp_o = cell.output_gate ? dh * squashed * slope_o : T(0);

      T dc = s.is(Mistake::dc_not_carried) ? T(0) : d.dc[j];
      if (!s.is(Mistake::dc_without_dh)) dc += dh * o * naive::slope(psi(s), seen);
      const bool output_sees_new =
          !s.is(Mistake::output_sees_old_cell) && !s.is(Mistake::peephole_not_carried);
      if (output_sees_new) dc += dp_o * peephole(s, 2, j);

      const T di = dc * (s.is(Mistake::factors_of_dc_swapped) ? i : g);
      const T dg = dc * (s.is(Mistake::factors_of_dc_swapped) ? g : i);
      T df = dc * (s.is(Mistake::forget_gradient_of_new_cell) ? c_new : c_old);
      if (cell.coupled && !s.is(Mistake::coupled_without_input)) {
        df += s.is(Mistake::coupled_without_one_minus) ? di : -di;
      }
      const T dp_i = cell.input_gate && !cell.coupled ? di * i * (T(1) - i) : T(0);
      const T dp_f = cell.forget_gate ? df * f * (T(1) - f) : T(0);
      const T dp_g = dg * slope(s, phi(s), s.p[t][2 * s.H + j], g);

      d.dc_prev[j] += dc * f;
      if (cell.peephole) add_peepholes(s, t, j, dp_i, dp_f, dp_o, d);
      const T dp[4] = {dp_i, dp_f, dp_g, dp_o};
      for (Index k = 0; k < 4; ++k) {
        if (!cell.uses_gate(k)) continue;
        const bool from_cell = reads_cell(s, k);
        d.add(s, t, k, j, dp[k], dp[k], from_cell ? s.c[t] : s.h_before(t),
              from_cell ? d.dc_prev : d.dh_prev);
      }
    }
  }

 private:
  static void add_peepholes(const Sequence<T>& s, Index t, Index j, T dp_i, T dp_f, T dp_o,
                            Carried<T>& d) {
    d.dc_prev[j] += dp_i * peephole(s, 0, j) + dp_f * peephole(s, 1, j);
    if (s.is(Mistake::output_sees_old_cell)) d.dc_prev[j] += dp_o * peephole(s, 2, j);
    const auto& dw = d.grads.params.weight_peephole;
    const Vector<T>& seen =
        s.is(Mistake::peephole_gradient_of_old_cell) ? s.c[t] : cell_seen_by_output(s, t);
    naive::add_to(dw, 0, j, dp_i * s.c[t][j]);
    naive::add_to(dw, 1, j, dp_f * s.c[t][j]);
    naive::add_to(dw, 2, j, dp_o * seen[j]);
  }
};

template <Scalar T>
struct Gru {
  enum Gate : Index { reset, update, candidate };

  static bool resets_before(const Sequence<T>& s) {
    return (s.spec.cell.reset == GruReset::before_matmul) != s.is(Mistake::reset_on_the_other_side);
  }
  /// The old state's share, and the candidate's.
  static bool takes(const Sequence<T>& s) {
    return (s.spec.cell.update == GruUpdate::take) != s.is(Mistake::old_state_weighed_by_update);
  }
  static Vector<T> reset_state(const Sequence<T>& s, Index t) {
    Vector<T> state = s.h_before(t);
    for (Index j = 0; j < s.H; ++j) state[j] *= s.gate[t][j];
    return state;
  }
  static bool bias_is_reset(const Sequence<T>& s) {
    return !s.is(Mistake::candidate_bias_not_reset);
  }

  static void forward(Sequence<T>& s, Index t) {
    const Index n_rows = 2 * s.H;
    for (const Index g : {reset, update}) {
      for (Index j = 0; j < s.H; ++j) {
        const T p = s.from_input(s.row(g, j), t) + s.from_state(s.row(g, j), s.h_before(t));
        s.gate[t][g * s.H + j] = naive::sigmoid(p);
      }
    }
    const Vector<T> state = resets_before(s) ? reset_state(s, t) : s.h_before(t);
    for (Index j = 0; j < s.H; ++j) {
      const T r = s.gate[t][j], z = s.gate[t][s.H + j];
      T product = s.from_state(n_rows + j, state);
      const T outside = bias_is_reset(s) || resets_before(s) ? T(0) : s.bias_hh(n_rows + j);
      s.product[t][j] = product -= outside;
      const T p =
          s.from_input(n_rows + j, t) + outside + (resets_before(s) ? product : r * product);
      const T n = std::tanh(p), h_old = s.h[t][j];
      s.p[t][n_rows + j] = p;
      s.gate[t][n_rows + j] = n;
      const T old_share = s.is(Mistake::update_without_one_minus) ? T(1) : takes(s) ? T(1) - z : z;
      s.h[t + 1][j] = old_share * h_old + (takes(s) ? z : T(1) - z) * n;
    }
  }

  static void backward(const Sequence<T>& s, Index t, Carried<T>& d) {
    const Index n_rows = 2 * s.H;
    const bool before = resets_before(s), take = takes(s);
    const Vector<T>& h_old = s.h_before(t);
    const bool state_reset = before && !s.is(Mistake::candidate_gradient_not_reset);
    const Vector<T> candidate_state = state_reset ? reset_state(s, t) : h_old;
    Vector<T> dr(s.H, T(0)), d_state(s.H, T(0));
    for (Index j = 0; j < s.H; ++j) {
      const T r = s.gate[t][j], z = s.gate[t][s.H + j], n = s.gate[t][n_rows + j];
      const T dn = d.dh[j] * (take ? z : T(1) - z);
      const T dp = dn * slope(s, Activation::tanh, s.p[t][n_rows + j], n);
      T to_state = before ? dp : dp * r;
      if (!before && s.is(Mistake::candidate_gradient_not_reset)) to_state = dp;
      d.add(s, t, candidate, j, dp, to_state, candidate_state, d_state);
      if (!before) dr[j] = dp * s.product[t][j];
      if (!before && !bias_is_reset(s)) {
        naive::add_bias(d.grads.params.bias_hh, n_rows + j, dp - to_state);
      }
    }
    for (Index j = 0; j < s.H; ++j) {
      const T r = s.gate[t][j], z = s.gate[t][s.H + j], n = s.gate[t][n_rows + j];
      const T dh = d.dh[j];
      const bool whole =
          s.is(Mistake::update_without_one_minus) || s.is(Mistake::one_minus_forgotten);
      d.dh_prev[j] += dh * (whole ? T(1) : take ? T(1) - z : z);
      d.dh_prev[j] += before ? d_state[j] * r : d_state[j];
      if (before) dr[j] = d_state[j] * h_old[j];
      if (s.is(Mistake::reset_without_gradient)) dr[j] = T(0);
      T dz = dh * (take ? n - s.h[t][j] : s.h[t][j] - n);
      if (s.is(Mistake::update_without_one_minus)) dz = dh * (take ? n : -n);
      if (s.is(Mistake::update_gradient_negated)) dz = -dz;
      const T slope_z = s.is(Mistake::sigmoid_slope_is_sigmoid) ? z : z * (T(1) - z);
      const T dp_r = dr[j] * r * (T(1) - r), dp_z = dz * slope_z;
      d.add(s, t, reset, j, dp_r, dp_r, h_old, d.dh_prev);
      d.add(s, t, update, j, dp_z, dp_z, h_old, d.dh_prev);
    }
  }
};

}  // namespace bptt::verify::textbook_bptt
