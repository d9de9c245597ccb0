// The long short-term memory cell with forget gate, one sample, one step.
//
//   p   = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh           blocks i, f, g, o of H rows
//   i, f, o = sigmoid(p_i), sigmoid(p_f), sigmoid(p_o)    g = tanh(p_g)
//   c_t = f c_{t-1} + i g                                 h_t = o tanh(c_t)
//
// Hochreiter and Schmidhuber 1997; forget gate: Gers, Schmidhuber and Cummins 2000. Backward by the
// chain rule, the whole accumulated gradient carried back through both h and c.
#pragma once

#include "impls/naive/math.hpp"
#include "impls/naive/sample.hpp"

namespace bptt::naive {

template <class T>
struct Lstm {
  static void forward(const Cell&, const Params<const T>& w, const Sample<T>& s, Index t) {
    T* gate = s.gates(t);
    for (Index row = 0; row < 4 * s.H; ++row) {
      const T p = dot(w.weight_ih, row, s.input(t)) + bias(w.bias_ih, row) +
                  dot(w.weight_hh, row, s.h(t)) + bias(w.bias_hh, row);
      const bool is_candidate = row / s.H == 2;
      gate[row] = is_candidate ? std::tanh(p) : sigmoid(p);
    }
    for (Index j = 0; j < s.H; ++j) {
      const T i = gate[j], f = gate[s.H + j], g = gate[2 * s.H + j], o = gate[3 * s.H + j];
      s.c(t + 1)[j] = f * s.c(t)[j] + i * g;
      s.h(t + 1)[j] = o * std::tanh(s.c(t + 1)[j]);
    }
  }

  static void backward(const Cell&, const Params<const T>& w, const Sample<T>& s, Index t,
                       const Gradient<T>& grad, const Params<T>& dw) {
    const T* gate = s.gates(t);
    for (Index j = 0; j < s.H; ++j) {
      const T i = gate[j], f = gate[s.H + j], g = gate[2 * s.H + j], o = gate[3 * s.H + j];
      const T tanh_c = std::tanh(s.c(t + 1)[j]);
      const T dh = grad.dh[j];
      const T dc = grad.dc[j] + dh * o * (T(1) - tanh_c * tanh_c);
      const T dp[4] = {
          dc * g * i * (T(1) - i),
          dc * s.c(t)[j] * f * (T(1) - f),
          dc * i * (T(1) - g * g),
          dh * tanh_c * o * (T(1) - o),
      };
      for (Index block = 0; block < 4; ++block) {
        const Index row = block * s.H + j;
        add_outer(dw.weight_ih, row, dp[block], s.input(t));
        add_outer(dw.weight_hh, row, dp[block], static_cast<const T*>(s.h(t)));
        add_bias(dw.bias_ih, row, dp[block]);
        add_bias(dw.bias_hh, row, dp[block]);
        if (grad.dx) add_row(w.weight_ih, row, dp[block], grad.dx);
        add_row(w.weight_hh, row, dp[block], grad.dh_prev);
      }
      grad.dc[j] = dc * f;
    }
  }
};

}  // namespace bptt::naive
