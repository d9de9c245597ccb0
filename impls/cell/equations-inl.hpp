// The pointwise equations on one vector of units: written once, compiled per instruction set (hence
// the toggle instead of `#pragma once`). Use inside HWY_NAMESPACE only.
#if defined(BPTT_CELL_EQUATIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_CELL_EQUATIONS_INL
#undef BPTT_CELL_EQUATIONS_INL
#else
#define BPTT_CELL_EQUATIONS_INL
#endif

#include <hwy/highway.h>

#include "impls/linalg/activations-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::cell::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace act = bptt::linalg::HWY_NAMESPACE;

/// x (1-x) dx: through a sigmoid whose value is x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V through_sigmoid(D d, V x, V dx) {
  return hn::Mul(hn::Mul(x, hn::Sub(hn::Set(d, hn::TFromD<D>(1)), x)), dx);
}

/// (1-x^2) dx: through a tanh whose value is x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V through_tanh(D d, V x, V dx) {
  return hn::Mul(hn::NegMulAdd(x, x, hn::Set(d, hn::TFromD<D>(1))), dx);
}

template <class D>
struct Lstm {
  using V = hn::Vec<D>;
  struct Step {
    V i, f, g, o, c, tanh_c, h;
  };

  /// c_t = f c_{t-1} + i g, h_t = o tanh(c_t)
  static HWY_INLINE Step forward(D d, V p_i, V p_f, V p_g, V p_o, V c_prev) {
    Step s;
    s.i = act::sigmoid(d, p_i);
    s.f = act::sigmoid(d, p_f);
    s.g = act::tanh(d, p_g);
    s.o = act::sigmoid(d, p_o);
    s.c = hn::MulAdd(s.f, c_prev, hn::Mul(s.i, s.g));
    s.tanh_c = act::tanh(d, s.c);
    s.h = hn::Mul(s.o, s.tanh_c);
    return s;
  }

  struct Gradient {
    V p_i, p_f, p_g, p_o, c_prev;
  };
  /// dc is the gradient that reaches c_t from step t+1; what comes through h_t is added here.
  static HWY_INLINE Gradient backward(D d, V i, V f, V g, V o, V c_prev, V tanh_c, V dh, V dc) {
    dc = hn::Add(dc, through_tanh(d, tanh_c, hn::Mul(dh, o)));
    Gradient grad;
    grad.p_i = through_sigmoid(d, i, hn::Mul(dc, g));
    grad.p_f = through_sigmoid(d, f, hn::Mul(dc, c_prev));
    grad.p_g = through_tanh(d, g, hn::Mul(dc, i));
    grad.p_o = through_sigmoid(d, o, hn::Mul(dh, tanh_c));
    grad.c_prev = hn::Mul(dc, f);
    return grad;
  }
};

template <class D>
struct Gru {
  using V = hn::Vec<D>;

  /// h_t from the candidate n; z weighs n (take) or the old state (keep). Written as in the
  /// formula: the shorter h + z (n-h) would give inf-inf where the plain one does not.
  template <GruUpdate update>
  static HWY_INLINE V forward(D d, V z, V n, V h_prev) {
    const V other = hn::Sub(hn::Set(d, hn::TFromD<D>(1)), z);
    if constexpr (update == GruUpdate::take) {
      return hn::MulAdd(other, h_prev, hn::Mul(z, n));
    } else {
      return hn::MulAdd(z, h_prev, hn::Mul(other, n));
    }
  }

  struct Gradient {
    V p_n, p_z, h_prev;
  };
  template <GruUpdate update>
  static HWY_INLINE Gradient backward(D d, V z, V n, V h_prev, V dh) {
    const V other = hn::Sub(hn::Set(d, hn::TFromD<D>(1)), z);
    Gradient grad;
    if constexpr (update == GruUpdate::take) {
      grad.p_n = through_tanh(d, n, hn::Mul(dh, z));
      grad.p_z = through_sigmoid(d, z, hn::Mul(dh, hn::Sub(n, h_prev)));
      grad.h_prev = hn::Mul(dh, other);
    } else {
      grad.p_n = through_tanh(d, n, hn::Mul(dh, other));
      grad.p_z = through_sigmoid(d, z, hn::Mul(dh, hn::Sub(h_prev, n)));
      grad.h_prev = hn::Mul(dh, z);
    }
    return grad;
  }
};

}  // namespace bptt::cell::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
