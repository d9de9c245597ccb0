// Initial parameters, as PyTorch draws them.
#pragma once

#include <optional>

#include "impls/api/scalar.hpp"
#include "impls/api/tensors.hpp"
#include "impls/net/random.hpp"

namespace bptt::net {

/// Every value drawn here and by fill_normal is rounded to an f32 number first, so that runs in
/// different precisions start from the same point.
///
/// Uniform in [-1/sqrt(fan), 1/sqrt(fan)).
template <Real T>
void fill_uniform(View<T> values, Index fan, Random&);

/// Normal with mean 0.
template <Real T>
void fill_normal(View<T> values, double deviation, Random&);

/// All parameters uniform in [-1/sqrt(H), 1/sqrt(H)), as torch.nn.RNN, LSTM and GRU have it.
/// `forget_bias` (lstm with bias only, otherwise without effect): the forget gate's bias_ih becomes
/// this value and its bias_hh zero, so that the cell remembers from the start (Gers et al. 2000).
template <Real T>
void initialise(const Spec&, const Params<T>&, Random&, std::optional<double> forget_bias = {});

}  // namespace bptt::net
