// Dot-product attention of one sequence's states over another's (Luong, Pham and Manning 2015,
// "dot"):
//
//   e[t,k] = <s_t, h_k>        alpha[t,.] = softmax over the live k of e[t,.]
//   context_t = sum over the live k of alpha[t,k] h_k
#pragma once

#include <span>

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

/// Live steps of both sides, [B]; empty: all are.
struct AttentionLengths {
  std::span<const Index> query, source;
};

/// `states` s [U,B,H], `source` h [T,B,H]. Writes `weights` alpha [U,B,T] and `context` [U,B,H];
/// both are zero at padding of either side, and the context of an empty source is zero. Padding is
/// not read. Throws Error(usage) where extents do not fit.
template <Scalar T>
void attention_forward(View<const T> states, View<const T> source, const AttentionLengths&,
                       View<T> weights, View<T> context);

/// Adds to `dstates` and `dsource` what `dcontext` [U,B,H] makes of them. `scratch` [U,T].
template <Scalar T>
void attention_backward(View<const T> states, View<const T> source, const AttentionLengths&,
                        View<const T> weights, View<const T> dcontext, View<T> scratch,
                        View<T> dstates, View<T> dsource);

}  // namespace bptt::net
