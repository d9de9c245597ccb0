// The initial weights whose gradient flow is looked at: one table.
#pragma once

#include <string_view>
#include <vector>

#include "impls/api/scalar.hpp"
#include "impls/api/tensors.hpp"
#include "impls/net/random.hpp"

namespace bptt::verify::flow {

/// uniform         everything in +-1/sqrt(H), as PyTorch has it
/// orthogonal      every gate's block of W_hh orthogonal, biases zero
/// identity        every gate's block of W_hh the identity, W_ih small, biases zero (Le et al.
/// 2015) radius=R        W_hh normal, scaled to spectral radius R; biases zero remember        lstm
/// and gru: uniform, with the gate that keeps the state near sigmoid(2)
struct Initialisation {
  std::string_view name;
  double radius = 0;  ///< of radius=R
};
const std::vector<Initialisation>& initialisations();
bool applies_to(const Initialisation&, const Cell&);

template <Real T>
void fill(const Initialisation&, const Spec&, const Params<T>&, net::Random&);

}  // namespace bptt::verify::flow
