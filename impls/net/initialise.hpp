// Initial parameters, reproducible: the same seed gives the same numbers everywhere.
#pragma once

#include <optional>
#include <string_view>

#include "impls/api/scalar.hpp"
#include "impls/api/tensors.hpp"
#include "impls/net/random.hpp"

namespace bptt::net {

/// How weights begin. Each gate's block of weight_ih [H,I] and of weight_hh [H,H] is a matrix of
/// its own; peephole weights are uniform in +-1/sqrt(H) under every scheme.
enum class Init {
  uniform,  ///< everything, biases too, in [-1/sqrt(H), 1/sqrt(H)): as PyTorch's recurrent layers
  xavier,   ///< uniform within sqrt(6/(rows+columns)) (Glorot, Bengio 2010); biases zero
  orthogonal,  ///< orthonormal rows, or columns where there are fewer (Saxe et al. 2014); biases
               ///< zero
  identity,    ///< weight_hh the identity, weight_ih normal with deviation 0.001, biases zero (Le,
               ///< Jaitly, Hinton 2015; made for rnn:relu)
};
std::string_view name_of(Init);
/// Throws Error(usage) listing the known names.
Init parse_init(std::string_view);

// Every value drawn is rounded to an f32 number first, so that runs in different precisions start
// from the same point.

/// Uniform in [-1/sqrt(fan), 1/sqrt(fan)).
template <Scalar T>
void fill_uniform(View<T> values, Index fan, Random&);

/// Normal with mean 0.
template <Scalar T>
void fill_normal(View<T> values, double deviation, Random&);

/// A matrix [rows,columns], drawn evenly among all with orthonormal rows (orthonormal columns where
/// there are more rows than columns).
template <Scalar T>
void fill_orthogonal(View<T> matrix, Random&);

/// All parameters of a recurrent layer. `forget_bias` (lstm with bias only, otherwise without
/// effect): the forget gate's bias_ih becomes this value and its bias_hh zero, so that the cell
/// remembers from the start (Gers et al. 2000).
template <Scalar T>
void initialise(const Spec&, const Params<T>&, Random&, std::optional<double> forget_bias = {},
                Init = Init::uniform);

/// A dense layer: weight [O,H] as weight_ih above is, bias [O]; under `identity` the weight is as
/// under `xavier`, there being no scheme for it.
template <Scalar T>
void initialise_dense(View<T> weight, View<T> bias, Random&, Init = Init::uniform);

}  // namespace bptt::net
