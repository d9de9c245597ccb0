// Vectorised sigmoid, tanh and phi. Included once per instruction set by foreach_target.h (hence
// the toggle instead of `#pragma once`); use inside HWY_NAMESPACE only.
#if defined(BPTT_LINALG_ACTIVATIONS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_LINALG_ACTIVATIONS_INL
#undef BPTT_LINALG_ACTIVATIONS_INL
#else
#define BPTT_LINALG_ACTIVATIONS_INL
#endif

#include <hwy/highway.h>

#include "impls/api/spec.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::linalg::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// e^y for y <= 0 in two factors: e^y = scale (1 + q), with scale a power of two times 2^bias and q
/// in [-0.3, 0.42]. Kept apart because e^y - 1 = (scale - 1) + scale q is exact near 0, where
/// e^y - 1 from e^y would have lost its digits. y >= -126 ln 2 (f32), or as much further down as
/// the bias allows for.
template <class V>
struct SplitExp {
  V scale, q;
};

/// e^r - 1 for |r| <= ln(2)/2.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V small_expm1(D d, V r) {
  V p;
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    // Minimax coefficients of Cephes' expf (S. Moshier).
    p = hn::Set(d, 1.9875691500e-4F);
    for (const float c : {1.3981999507e-3F, 8.3334519073e-3F, 4.1665795894e-2F, 1.6666665459e-1F,
                          5.0000001201e-1F}) {
      p = hn::MulAdd(p, r, hn::Set(d, c));
    }
  } else {
    // Taylor: the next term is below 2^-57 of the sum.
    p = hn::Set(d, 1.0 / 6227020800);
    for (const double c :
         {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
          1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2}) {
      p = hn::MulAdd(p, r, hn::Set(d, c));
    }
  }
  return hn::MulAdd(hn::Mul(r, r), p, r);
}

template <int bias, class D, class V = hn::Vec<D>>
HWY_INLINE SplitExp<V> split_exp(D d, V y) {
  using T = hn::TFromD<D>;
  constexpr bool is_float = sizeof(T) == 4;
  constexpr int mantissa_bits = is_float ? 23 : 52;
  // ln 2 in two parts (Cody and Waite), the first so short that its products with n are exact.
  const V ln2_high = hn::Set(d, static_cast<T>(is_float ? 0.693359375 : 6.93145751953125e-1));
  const V ln2_low =
      hn::Set(d, static_cast<T>(is_float ? -2.12194440e-4 : 1.42860682030941723212e-6));
  // Adding 1.5 * 2^mantissa_bits rounds to an integer, and leaves it in the lowest bits.
  const V shift =
      hn::Set(d, static_cast<T>(is_float ? 12582912.0 : 6755399441055744.0) + static_cast<T>(bias));
  const V shifted = hn::MulAdd(y, hn::Set(d, static_cast<T>(1.44269504088896340736)), shift);
  const V n = hn::Sub(shifted, shift);
  const V r = hn::NegMulAdd(n, ln2_low, hn::NegMulAdd(n, ln2_high, y));
  const hn::RebindToUnsigned<D> bits;
  const auto one = hn::BitCast(bits, hn::Set(d, T(1)));
  const auto exponent = hn::ShiftLeft<mantissa_bits>(hn::BitCast(bits, shifted));
  return {hn::BitCast(d, hn::Add(exponent, one)), small_expm1(d, r)};
}

/// 1 / (1 + e^-x), from e = e^-|x|, which cannot overflow. NaN stays NaN. With s = e / (1+e) it is
/// 1 - s above zero and e - e s below: what rounding makes of 1+e and of the quotient counts only
/// as much as s does, where e / (1+e) itself would have it whole.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  using T = hn::TFromD<D>;
  // Beyond these e^-|x| is 0; down to there it may be denormal, which the bias keeps scale clear
  // of.
  constexpr bool is_float = sizeof(T) == 4;
  constexpr int bias = is_float ? 64 : 128;
  const V one = hn::Set(d, T(1));
  const V far = hn::Set(d, static_cast<T>(is_float ? 110.0 : 750.0));
  const auto exp = split_exp<bias>(d, hn::Neg(hn::Min(hn::Abs(x), far)));
  const V unbias = hn::Set(d, static_cast<T>(is_float ? 0x1p-64 : 0x1p-128));
  const V e = hn::Mul(hn::MulAdd(exp.scale, exp.q, exp.scale), unbias);
  const V above = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one);
  const V s = hn::Div(e, hn::Add(one, e));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::NegMulAdd(above, s, above));
}

/// (1-e) / (1+e) with e = e^-2|x|, and the sign of x. Above a half it is 1 - 2e / (1+e), below
/// u - u v with u = (1-e) / 2 and v = (e-1) / (1+e): again the quotient is the smaller part of the
/// result. NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T(1)), two = hn::Set(d, T(2));
  const V far = hn::Set(d, T(20));  // tanh is 1 from there, to the last bit
  const V a = hn::Min(hn::Abs(x), far);
  const auto exp = split_exp<0>(d, hn::Neg(hn::Add(a, a)));
  const V e = hn::MulAdd(exp.scale, exp.q, exp.scale);
  const V minus_1 = hn::MulAdd(exp.scale, exp.q, hn::Sub(exp.scale, one));  // e - 1
  const V u = hn::Mul(hn::Set(d, T(-0.5)), minus_1);
  const auto above_half = hn::Gt(a, hn::Set(d, static_cast<T>(0.55)));
  const V quotient = hn::Div(hn::IfThenElse(above_half, e, minus_1), hn::Add(two, minus_1));
  const V y = hn::NegMulAdd(hn::IfThenElse(above_half, two, u), quotient,
                            hn::IfThenElse(above_half, one, u));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
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
