// Stochastic gradient descent with gradients clipped by their global norm.
#pragma once

#include <span>

#include "impls/api/scalar.hpp"
#include "impls/api/view.hpp"

namespace bptt::net {

/// The Euclidean norm of all gradients taken as one vector, summed in double.
template <Real T>
double global_norm(std::span<const View<T>> grads);

/// Scales all gradients by largest/norm where their global norm exceeds `largest` (Pascanu,
/// Mikolov, Bengio 2013). Returns the norm before. A norm that is not finite leaves the gradients
/// alone.
template <Real T>
double clip_by_global_norm(std::span<const View<T>> grads, double largest);

/// params[k] -= rate * grads[k]. Throws Error(usage) where they do not pair up.
template <Real T>
void sgd_step(std::span<const View<T>> params, std::span<const View<T>> grads, double rate);

}  // namespace bptt::net
