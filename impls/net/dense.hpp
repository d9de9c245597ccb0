// A dense layer over the last axis: the head that turns states into outputs, and the layers of a
// feed-forward network.
#pragma once

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

/// q = a V^T + b for every row of a. `a` [...,H] of rank 2 or 3, `weight` V [O,H], `bias` b [O] or
/// absent, `q` [...,O]. Throws Error(usage) where the extents do not fit.
template <Scalar T>
void dense_forward(View<const T> a, View<const T> weight, View<const T> bias, View<T> q);

/// The gradients of that: da = dq V, dV = dq^T a, db = the sum of dq's rows; all overwritten; an
/// absent one is not wanted.
template <Scalar T>
void dense_backward(View<const T> a, View<const T> weight, View<const T> dq, View<T> da,
                    View<T> dweight, View<T> dbias);

}  // namespace bptt::net
