// Vectorised sigmoid, tanh and phi, on top of Highway's mathematics. Included once per instruction
// set by foreach_target.h (hence the toggle instead of `#pragma once`); use inside HWY_NAMESPACE
// only.
#if defined(BPTT_LINALG_ACTIVATIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_LINALG_ACTIVATIONS_INL
#undef BPTT_LINALG_ACTIVATIONS_INL
#else
#define BPTT_LINALG_ACTIVATIONS_INL
#endif

#include <hwy/highway.h>
// highway.h first: it defines what math-inl.h is made of.
#include <hwy/contrib/math/math-inl.h>

#include "impls/api/spec.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::linalg::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// 1 / (1 + e^-x), from e^-|x|, which cannot overflow. NaN stays NaN (Highway's Exp makes it 0).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V e = hn::Exp(d, hn::Neg(hn::Abs(x)));
  const V negative_side = hn::Div(e, hn::Add(one, e));
  const V positive_side = hn::Div(one, hn::Add(one, e));
  const V y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), negative_side, positive_side);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
}

/// phi of the plain recurrent cell, the kind known when compiling.
template <Activation phi, class D, class V = hn::Vec<D>>
HWY_INLINE V activate(D d, V p) {
  if constexpr (phi == Activation::tanh) {
    return tanh(d, p);
  } else if constexpr (phi == Activation::sigmoid) {
    return sigmoid(d, p);
  } else if constexpr (phi == Activation::relu) {
    return hn::IfThenElse(hn::Lt(p, hn::Zero(d)), hn::Zero(d), p);
  } else if constexpr (phi == Activation::leaky_relu) {
    const V slope = hn::Set(d, static_cast<hn::TFromD<D>>(leaky_relu_slope));
    return hn::IfThenElse(hn::Lt(p, hn::Zero(d)), hn::Mul(slope, p), p);
  } else {
    return p;
  }
}

/// phi' from h = phi(p); at the kink of relu and leaky_relu the slope of the negative side.
template <Activation phi, class D, class V = hn::Vec<D>>
HWY_INLINE V slope(D d, V h) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  if constexpr (phi == Activation::tanh) {
    return hn::NegMulAdd(h, h, one);
  } else if constexpr (phi == Activation::sigmoid) {
    return hn::Mul(h, hn::Sub(one, h));
  } else if constexpr (phi == Activation::relu) {
    return hn::IfThenElse(hn::Le(h, hn::Zero(d)), hn::Zero(d), one);
  } else if constexpr (phi == Activation::leaky_relu) {
    const V negative_side = hn::Set(d, static_cast<hn::TFromD<D>>(leaky_relu_slope));
    return hn::IfThenElse(hn::Le(h, hn::Zero(d)), negative_side, one);
  } else {
    return one;
  }
}

}  // namespace bptt::linalg::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
