// Transposing a panel of units for packing, compiled per instruction set (hence the toggle instead
// of `#pragma once`). Use inside HWY_NAMESPACE only.
#if defined(BPTT_FUSED_TRANSPOSE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_FUSED_TRANSPOSE_INL
#undef BPTT_FUSED_TRANSPOSE_INL
#else
#define BPTT_FUSED_TRANSPOSE_INL
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "impls/fused/kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::fused::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The side of what is transposed in registers, 16 bytes: in wider vectors it would take
/// permutations across their blocks.
template <class T>
constexpr Index square = HWY_TARGET == HWY_SCALAR ? 1 : 16 / static_cast<Index>(sizeof(T));

template <class T>
HWY_INLINE void transpose_square(const T* from, [[maybe_unused]] Index stride, T* to,
                                 [[maybe_unused]] Index to_stride) {
#if HWY_TARGET == HWY_SCALAR
  *to = *from;
#else
  constexpr Index side = square<T>;
  const hn::FixedTag<T, side> d;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, from + stride);
  if constexpr (side == 2) {
    hn::StoreU(hn::InterleaveLower(d, a, b), d, to);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, to + to_stride);
  } else {
    const auto e = hn::LoadU(d, from + 2 * stride), f = hn::LoadU(d, from + 3 * stride);
    const auto ae = hn::InterleaveLower(d, a, e), bf = hn::InterleaveLower(d, b, f);
    const auto ae_high = hn::InterleaveUpper(d, a, e), bf_high = hn::InterleaveUpper(d, b, f);
    hn::StoreU(hn::InterleaveLower(d, ae, bf), d, to);
    hn::StoreU(hn::InterleaveUpper(d, ae, bf), d, to + to_stride);
    hn::StoreU(hn::InterleaveLower(d, ae_high, bf_high), d, to + 2 * to_stride);
    hn::StoreU(hn::InterleaveUpper(d, ae_high, bf_high), d, to + 3 * to_stride);
  }
#endif
}

template <class T>
void transpose(const T* from, Index stride, Index units, Index k, T* to, Index to_stride) {
  constexpr Index side = square<T>, L = static_cast<Index>(HWY_LANES(T));
  const Index in_squares = k - k % side, unit_squares = units - units % side;
  for (Index at = 0; at < in_squares; at += side) {
    for (Index l = 0; l < unit_squares; l += side) {
      transpose_square(from + l * stride + at, stride, to + at * to_stride + l, to_stride);
    }
  }
  for (Index at = 0; at < k; ++at) {
    T* const row = to + at * to_stride;
    for (Index l = at < in_squares ? unit_squares : 0; l < units; ++l) {
      row[l] = from[l * stride + at];
    }
    std::fill(row + units, row + L, T(0));
  }
}

}  // namespace bptt::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
