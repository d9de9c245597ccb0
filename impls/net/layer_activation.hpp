// Activations of a dense layer, on whole rows: what a feed-forward network and an output layer have
// between their products. Softmax is one of them, with its full Jacobian.
#pragma once

#include <limits>
#include <string_view>

#include "impls/api/scalar.hpp"
#include "impls/api/spec.hpp"
#include "impls/linalg/matrix.hpp"

namespace bptt::net {

enum class LayerActivation { identity, sigmoid, tanh, relu, leaky_relu, softmax };

inline constexpr LayerActivation all_layer_activations[] = {
    LayerActivation::identity, LayerActivation::sigmoid,    LayerActivation::tanh,
    LayerActivation::relu,     LayerActivation::leaky_relu, LayerActivation::softmax};

std::string_view name_of(LayerActivation);
/// Throws Error(usage) that lists what would have been understood.
LayerActivation parse_layer_activation(std::string_view);
/// The same function as a recurrent cell's.
LayerActivation layer_activation(Activation);

/// a = f(z), in place, row by row. Softmax is shifted by the row's largest element, so that nothing
/// overflows.
template <Scalar T>
void activate_rows(LayerActivation, linalg::Matrix<T> z);

/// While it lives, looks at what this thread gives to relu and leaky_relu in activate_rows: who
/// takes differences must know how near the kink is. One at a time in a thread.
class KinkObserver {
 public:
  KinkObserver();
  ~KinkObserver();
  KinkObserver(const KinkObserver&) = delete;
  KinkObserver& operator=(const KinkObserver&) = delete;

  void reset();
  double nearest() const { return nearest_; }  ///< smallest |z| seen
  Index count() const { return count_; }       ///< elements seen

  void see(double z);

 private:
  double nearest_ = std::numeric_limits<double>::infinity();
  Index count_ = 0;
};

/// dz from da, in place, with a = f(z): dz = da * f'(z); for softmax dz_i = a_i (da_i - sum_j a_j
/// da_j). At the kink of relu and leaky_relu: the slope of the negative side.
template <Scalar T>
void differentiate_rows(LayerActivation, linalg::Matrix<const T> a, linalg::Matrix<T> da);

}  // namespace bptt::net
