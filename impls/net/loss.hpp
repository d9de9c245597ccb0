// Losses at the end of a network, with their gradients.
#pragma once

#include <span>

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

/// Softmax cross-entropy with integer targets, summed over the live steps:
///   loss = sum_{t,b} ( log sum_o exp q[t,b,o] - q[t,b,target[t,b]] ).
/// `logits` q [T,B,O]; `targets` [T*B], time-major, each in [0,O) where its step is live; `lengths`
/// [B] as in Inputs, empty where every step is live. Writes `dlogits` [T,B,O], the gradient of
/// scale*loss: scale*(softmax(q) - one_hot(target)), zero at padding. Returns loss, unscaled, in
/// nats. Each row is shifted by its largest logit, so that large logits neither overflow nor lose
/// the loss. Throws Error(usage) where extents do not match, Error(data) for a target outside
/// [0,O). (Goodfellow, Bengio, Courville 2016, section 6.2.2.3.)
template <Real T>
double softmax_cross_entropy(View<const T> logits, std::span<const Index> targets,
                             std::span<const Index> lengths, double scale, View<T> dlogits);

}  // namespace bptt::net
