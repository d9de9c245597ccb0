// The long short-term memory cell with its options, one sample, one step.
//
//   p   = W_ih x_t + b_ih + W_hh s + b_hh                 blocks i, f, g, o of H rows
//         s = h_{t-1}; c_{t-1} for the gates i, f, o where they read the cell state
//   i   = sigmoid(p_i + w_i c_{t-1})     1 - f where coupled    1 without input gate
//   f   = sigmoid(p_f + w_f c_{t-1})                            1 without forget gate
//   g   = tanh(p_g)                      p_g without input activation
//   c_t = f c_{t-1} + i g
//   o   = sigmoid(p_o + w_o c_t)                                1 without output gate
//   h_t = o psi(c_t)                     psi: tanh, identity
//
// with the peephole weights w where there are any. Hochreiter and Schmidhuber 1997; forget gate:
// Gers, Schmidhuber and Cummins 2000; peepholes: Gers and Schmidhuber 2000; the other options:
// Greff et al. 2017. Backward by the chain rule, the whole accumulated gradient carried back
// through both h and c.
#pragma once

#include "impls/naive/math.hpp"
#include "impls/naive/sample.hpp"

namespace bptt::naive {

template <class T>
struct Lstm {
  enum Block : Index { i_block, f_block, g_block, o_block };

  static bool reads_cell_state(const Cell& cell, Index block) {
    return cell.gate_input == GateInput::cell && block != g_block;
  }
  /// What the rows of a block are multiplied with in W_hh.
  static const T* recurrent_input(const Cell& cell, const Sample<T>& s, Index t, Index block) {
    return reads_cell_state(cell, block) ? s.c(t) : s.h(t);
  }

  static T preactivation(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t,
                         Index block, Index j) {
    const Index row = block * s.H + j;
    return dot(w.weight_ih, row, s.input(t)) + bias(w.bias_ih, row) +
           dot(w.weight_hh, row, recurrent_input(cell, s, t, block)) + bias(w.bias_hh, row);
  }

  static void forward(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t) {
    const auto& peephole = w.weight_peephole;
    for (Index j = 0; j < s.H; ++j) {
      T p[4];
      for (Index block = 0; block < 4; ++block) p[block] = preactivation(cell, w, s, t, block, j);
      const T c_prev = s.c(t)[j];
      if (cell.peephole) p[i_block] += peephole(0, j) * c_prev;
      if (cell.peephole) p[f_block] += peephole(1, j) * c_prev;
      const T f = cell.forget_gate ? sigmoid(p[f_block]) : T(1);
      const T own_i = cell.input_gate ? sigmoid(p[i_block]) : T(1);
      const T i = cell.coupled ? T(1) - f : own_i;
      const T g = activate(cell.candidate, p[g_block]);
      const T c = f * c_prev + i * g;
      if (cell.peephole) p[o_block] += peephole(2, j) * c;
      const T o = cell.output_gate ? sigmoid(p[o_block]) : T(1);
      const T gates[4] = {i, f, g, o};
      for (Index block = 0; block < 4; ++block) s.gates(t)[block * s.H + j] = gates[block];
      s.c(t + 1)[j] = c;
      s.h(t + 1)[j] = o * activate(cell.output, c);
    }
  }

  static void backward(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t,
                       const Gradient<T>& grad, const Params<T>& dw) {
    // Where gates read the cell state, every unit's c_{t-1} gets a part from every gate.
    T* dc_prev = grad.scratch;
    for (Index j = 0; j < s.H; ++j) dc_prev[j] = T(0);
    for (Index j = 0; j < s.H; ++j) {
      const T* gate = s.gates(t);
      const T i = gate[j], f = gate[s.H + j], g = gate[2 * s.H + j], o = gate[3 * s.H + j];
      const T c_prev = s.c(t)[j], c = s.c(t + 1)[j], psi = activate(cell.output, c);
      const T dh = grad.dh[j];
      const T dp_o = cell.output_gate ? dh * psi * o * (T(1) - o) : T(0);
      T dc = grad.dc[j] + dh * o * slope(cell.output, psi);
      if (cell.peephole) dc += dp_o * w.weight_peephole(2, j);
      const T di = dc * g;
      const T df = cell.coupled ? dc * c_prev - di : dc * c_prev;
      const T dp_i = cell.input_gate && !cell.coupled ? di * i * (T(1) - i) : T(0);
      const T dp_f = cell.forget_gate ? df * f * (T(1) - f) : T(0);
      const T dp_g = dc * i * slope(cell.candidate, g);
      dc_prev[j] += dc * f;
      if (cell.peephole) {
        dc_prev[j] += dp_i * w.weight_peephole(0, j) + dp_f * w.weight_peephole(1, j);
        add_to(dw.weight_peephole, 0, j, dp_i * c_prev, grad.later);
        add_to(dw.weight_peephole, 1, j, dp_f * c_prev, grad.later);
        add_to(dw.weight_peephole, 2, j, dp_o * c, grad.later);
      }
      const T dp[4] = {dp_i, dp_f, dp_g, dp_o};
      for (Index block = 0; block < 4; ++block) {
        if (!cell.uses_gate(block)) continue;
        const Index row = block * s.H + j;
        add_outer(dw.weight_ih, row, dp[block], s.input(t), grad.later);
        add_outer(dw.weight_hh, row, dp[block], recurrent_input(cell, s, t, block), grad.later);
        add_bias(dw.bias_ih, row, dp[block], grad.later);
        add_bias(dw.bias_hh, row, dp[block], grad.later);
        if (grad.dx) add_row(w.weight_ih, row, dp[block], grad.dx);
        add_row(w.weight_hh, row, dp[block],
                reads_cell_state(cell, block) ? dc_prev : grad.dh_prev);
      }
    }
    for (Index j = 0; j < s.H; ++j) grad.dc[j] = dc_prev[j];
  }
};

}  // namespace bptt::naive
