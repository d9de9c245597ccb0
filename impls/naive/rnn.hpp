// The plain recurrent cell, one sample, one step.
//
//   p_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh        h_t = phi(p_t)
//
// Elman 1990; backward by the chain rule (Werbos 1990). See docs/equations.md.
#pragma once

#include "impls/naive/math.hpp"
#include "impls/naive/sample.hpp"

namespace bptt::naive {

template <class T>
struct Rnn {
  static void forward(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t) {
    for (Index j = 0; j < s.H; ++j) {
      const T p = dot(w.weight_ih, j, s.input(t)) + bias(w.bias_ih, j) +
                  dot(w.weight_hh, j, s.h(t)) + bias(w.bias_hh, j);
      s.h(t + 1)[j] = activate(cell.activation, p);
    }
  }

  static void backward(const Cell& cell, const Params<const T>& w, const Sample<T>& s, Index t,
                       const Gradient<T>& g, const Params<T>& dw) {
    for (Index j = 0; j < s.H; ++j) {
      const T dp = g.dh[j] * slope(cell.activation, s.h(t + 1)[j]);
      add_outer(dw.weight_ih, j, dp, s.input(t), g.later);
      add_outer(dw.weight_hh, j, dp, static_cast<const T*>(s.h(t)), g.later);
      add_bias(dw.bias_ih, j, dp, g.later);
      add_bias(dw.bias_hh, j, dp, g.later);
      if (g.dx) add_row(w.weight_ih, j, dp, g.dx);
      add_row(w.weight_hh, j, dp, g.dh_prev);
    }
  }
};

}  // namespace bptt::naive
