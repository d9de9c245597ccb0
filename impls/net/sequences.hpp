// Copies of tensors over time [T,B,W] that a stack of two directions needs: a sequence read
// backwards from its own end, and the features of one direction among those of both.
#pragma once

#include <span>

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

/// Live steps of sequence b.
inline Index live_steps(std::span<const Index> lengths, Index b, Index T) {
  return lengths.empty() ? T : lengths[static_cast<std::size_t>(b)];
}

/// to[t,b,:] = from[length-1-t,b,:] at live steps. Padding is neither read nor written.
template <Scalar T>
void copy_reversed(View<const T> from, std::span<const Index> lengths, View<T> to);

/// Some of T steps.
struct StepRange {
  Index begin = 0, end = 0;
};

/// to[length-1-t,b,:] += from[t,b,:] at live steps, for these t. Different steps write different
/// elements: they may be added at the same time.
template <Scalar T>
void add_reversed(View<const T> from, std::span<const Index> lengths, StepRange, View<T> to);

/// What one direction's states [T,B,H] and those of both [T,B,D*H] have to do with each other. The
/// reverse direction (1) counts its steps from each sequence's end.
struct DirectionOf {
  Index direction = 0;
  std::span<const Index> lengths;
};

/// Writes one direction's features into those of both; zero at padding.
template <Scalar T>
void put_direction(View<const T> from, const DirectionOf&, View<T> both);

/// Reads them. Padding is neither read nor written.
template <Scalar T>
void take_direction(View<const T> both, const DirectionOf&, View<T> to);

}  // namespace bptt::net
