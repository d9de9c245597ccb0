// The gated recurrent unit in its four forms, one sample, one step.
//
//   r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)    z likewise
//   before_matmul: n = tanh(W_in x_t + b_in + W_hn (r h_{t-1}) + b_hn)
//   after_matmul:  n = tanh(W_in x_t + b_in + r (W_hn h_{t-1} + b_hn))
//   take: h_t = (1-z) h_{t-1} + z n                       keep: h_t = z h_{t-1} + (1-z) n
//
// Cho et al. 2014 (before_matmul); PyTorch, cuDNN and oneDNN ("linear before reset") after_matmul.
// product(t) of the tape holds r h_{t-1} for before_matmul, W_hn h_{t-1} + b_hn for after_matmul.
#pragma once

#include "impls/naive/math.hpp"
#include "impls/naive/sample.hpp"

namespace bptt::naive {

template <class T>
struct Gru {
  static void forward(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t) {
    const Index H = s.H, n_rows = 2 * H;
    const T* h_prev = s.h(t);
    T* gate = s.gates(t);
    for (Index row = 0; row < n_rows; ++row) {
      gate[row] = sigmoid(dot(w.weight_ih, row, s.input(t)) + bias(w.bias_ih, row) +
                          dot(w.weight_hh, row, h_prev) + bias(w.bias_hh, row));
    }
    for (Index j = 0; j < H; ++j) {
      const T r = gate[j];
      s.product(t)[j] = cell.reset == GruReset::before_matmul
                            ? r * h_prev[j]
                            : dot(w.weight_hh, n_rows + j, h_prev) + bias(w.bias_hh, n_rows + j);
    }
    for (Index j = 0; j < H; ++j) {
      const Index row = n_rows + j;
      const T r = gate[j], z = gate[H + j];
      const T from_input = dot(w.weight_ih, row, s.input(t)) + bias(w.bias_ih, row);
      const T from_state =
          cell.reset == GruReset::before_matmul
              ? dot(w.weight_hh, row, static_cast<const T*>(s.product(t))) + bias(w.bias_hh, row)
              : r * s.product(t)[j];
      const T n = tanh(from_input + from_state);
      gate[row] = n;
      s.h(t + 1)[j] = cell.update == GruUpdate::take ? (T(1) - z) * h_prev[j] + z * n
                                                     : z * h_prev[j] + (T(1) - z) * n;
    }
  }

  static void backward(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t,
                       const Gradient<T>& g, const Params<T>& dw) {
    const Index H = s.H, n_rows = 2 * H;
    const T* h_prev = s.h(t);
    const T* gate = s.gates(t);
    T* dr = g.scratch;  // with respect to r
    for (Index j = 0; j < H; ++j) dr[j] = T(0);

    // The candidate first: before_matmul reaches every unit's r through W_hn.
    for (Index j = 0; j < H; ++j) {
      const Index row = n_rows + j;
      const T r = gate[j], z = gate[H + j], n = gate[row];
      const T dn = g.dh[j] * (cell.update == GruUpdate::take ? z : T(1) - z);
      const T dp = dn * (T(1) - n * n);
      add_outer(dw.weight_ih, row, dp, s.input(t), g.later);
      add_bias(dw.bias_ih, row, dp, g.later);
      if (g.dx) add_row(w.weight_ih, row, dp, g.dx);
      if (cell.reset == GruReset::before_matmul) {
        add_outer(dw.weight_hh, row, dp, static_cast<const T*>(s.product(t)), g.later);
        add_bias(dw.bias_hh, row, dp, g.later);
        add_row(w.weight_hh, row, dp, dr);  // with respect to r h_{t-1}, completed below
      } else {
        add_outer(dw.weight_hh, row, dp * r, h_prev, g.later);
        add_bias(dw.bias_hh, row, dp * r, g.later);
        add_row(w.weight_hh, row, dp * r, g.dh_prev);
        dr[j] = dp * s.product(t)[j];
      }
    }
    for (Index j = 0; j < H; ++j) {
      const T r = gate[j], z = gate[H + j], n = gate[n_rows + j], dh = g.dh[j];
      g.dh_prev[j] += dh * (cell.update == GruUpdate::take ? T(1) - z : z);
      const T dz = dh * (cell.update == GruUpdate::take ? n - h_prev[j] : h_prev[j] - n);
      if (cell.reset == GruReset::before_matmul) {
        g.dh_prev[j] += dr[j] * r;
        dr[j] *= h_prev[j];
      }
      const T dp[2] = {dr[j] * r * (T(1) - r), dz * z * (T(1) - z)};
      for (Index block = 0; block < 2; ++block) {
        const Index row = block * H + j;
        add_outer(dw.weight_ih, row, dp[block], s.input(t), g.later);
        add_outer(dw.weight_hh, row, dp[block], h_prev, g.later);
        add_bias(dw.bias_ih, row, dp[block], g.later);
        add_bias(dw.bias_hh, row, dp[block], g.later);
        if (g.dx) add_row(w.weight_ih, row, dp[block], g.dx);
        add_row(w.weight_hh, row, dp[block], g.dh_prev);
      }
    }
  }
};

}  // namespace bptt::naive
