// Register tiles of the products, compiled per instruction set (hence the toggle instead of
// `#pragma once`). Use inside HWY_NAMESPACE only.
#if defined(BPTT_FUSED_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_FUSED_PRODUCT_INL
#undef BPTT_FUSED_PRODUCT_INL
#else
#define BPTT_FUSED_PRODUCT_INL
#endif

#include <hwy/highway.h>

#include "impls/fused/kernels.hpp"
#include "impls/linalg/prefetch.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::fused::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vector = hn::Vec<Tag<T>>;
template <class T>
constexpr Index lanes() {
  return static_cast<Index>(HWY_LANES(T));
}

/// A whole cache line, past the caches. Sanitizers do not see the instruction, hence not there.
template <class T>
HWY_INLINE void stream_line(Vector<T> value, T* to) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  hn::Store(value, Tag<T>(), to);
#else
  hn::Stream(value, Tag<T>(), to);
#endif
}

/// A run of k: acc[i][v] += a[i][k] b[k][v].
template <int rows, int vectors, class T>
HWY_INLINE void add_run(const T* const (&a)[rows], Index from, Index to, const T*& b,
                        Vector<T> (&acc)[rows][vectors]) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
#pragma GCC unroll 4
  for (Index k = from; k < to; ++k) {
    // Beside the sums, the shorter side of the tile is held in registers.
    if constexpr (rows < vectors) {
      Vector<T> ak[rows];
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) ak[i] = hn::Set(d, a[i][k]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        const Vector<T> bk = hn::Load(d, b + v * L);
#pragma GCC unroll 8
        for (int i = 0; i < rows; ++i) acc[i][v] = hn::MulAdd(ak[i], bk, acc[i][v]);
      }
    } else {
      Vector<T> bk[vectors];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) bk[v] = hn::Load(d, b + v * L);
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
        const Vector<T> ak = hn::Set(d, a[i][k]);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) acc[i][v] = hn::MulAdd(ak, bk[v], acc[i][v]);
      }
    }
    b += vectors * L;
  }
}

/// Sums start at zero and meet `init` at the end: its cache lines have the whole of k to arrive.
template <int rows, int vectors, class T>
void product(const ProductTile<T>& tile) {
  const Tag<T> d;
  const bool stream = tile.stream;
  const T* a[rows];
  Vector<T> acc[rows][vectors];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    a[i] = tile.a[static_cast<std::size_t>(i)];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      acc[i][v] = hn::Zero(d);
      if (!stream) {
        linalg::prefetch_to_write(tile.c[static_cast<std::size_t>(i)] +
                                  tile.c_vector[static_cast<std::size_t>(v)]);
      }
    }
  }
  const T* b = tile.b;
  const Walk& walk = tile.walk;
  Index at = 0;
  for (Index p = 0; p < walk.panels; ++p) {
    add_run(a, at, at + walk.width, b, acc);
    at += walk.panel_stride;
  }
  for (Index p = 0; p < walk.tails; ++p) {
    add_run(a, at, at + walk.tail_width, b, acc);
    at += walk.tail_stride;
  }
  const bool from_zero = tile.init[0] == nullptr;
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    const T* const init = tile.init[static_cast<std::size_t>(i)];
    T* const c = tile.c[static_cast<std::size_t>(i)];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      Vector<T> sum = acc[i][v];
      if (!from_zero) {
        sum = hn::Add(sum, hn::LoadU(d, init + tile.init_vector[static_cast<std::size_t>(v)]));
      }
      T* const to = c + tile.c_vector[static_cast<std::size_t>(v)];
      stream ? stream_line<T>(sum, to) : hn::StoreU(sum, d, to);
    }
  }
}

/// The last vector of a row of C, of which only `columns` elements are there.
template <class T>
HWY_INLINE void store_some(Vector<T> value, Index columns, bool accumulate, T* c) {
  const Tag<T> d;
  HWY_ALIGN T spilled[lanes<T>()];
  hn::Store(value, d, spilled);
  for (Index j = 0; j < columns; ++j) c[j] = accumulate ? c[j] + spilled[j] : spilled[j];
}

template <int rows, int vectors, class T>
void outer(const OuterTile<T>& tile) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  Vector<T> acc[rows][vectors];
  const T* b[vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    b[v] = tile.b[static_cast<std::size_t>(v)];
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      acc[i][v] = hn::Zero(d);
      linalg::prefetch_to_write(tile.c + i * tile.c_stride + v * L);
    }
  }
  const T* a = tile.a;
  const Index a_stride = tile.a_stride, size = tile.k * L;
#pragma GCC unroll 4
  for (Index at = 0; at < size; at += L) {
    Vector<T> bk[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) bk[v] = hn::Load(d, b[v] + at);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const Vector<T> ak = hn::Set(d, a[i]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) acc[i][v] = hn::MulAdd(ak, bk[v], acc[i][v]);
    }
    a += a_stride;
  }
  const Index last = tile.columns - (vectors - 1) * L;
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    T* const c = tile.c + i * tile.c_stride;
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      if (v == vectors - 1 && last < L) {
        store_some<T>(acc[i][v], last, tile.accumulate, c + v * L);
      } else {
        const Vector<T> sum =
            tile.accumulate ? hn::Add(acc[i][v], hn::LoadU(d, c + v * L)) : acc[i][v];
        hn::StoreU(sum, d, c + v * L);
      }
    }
  }
}

}  // namespace bptt::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
