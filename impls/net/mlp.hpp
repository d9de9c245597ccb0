// A feed-forward network of dense layers and its backpropagation:
//
//   z^l = a^(l-1) (w^l)^T + b^l          a^l = f^l(z^l)
//   delta^L = grad_a C * f'(z^L)         delta^l = (delta^(l+1) w^(l+1)) * f'(z^l)
//   dC/dw^l = sum over rows of delta^l (a^(l-1))^T        dC/db^l = sum over rows of delta^l
//
// Rumelhart, Hinton and Williams 1986; softmax takes its full Jacobian in place of f'.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "impls/api/tensor.hpp"
#include "impls/net/layer_activation.hpp"

namespace bptt::net {

struct DenseSpec {
  Index width = 1;  ///< units
  LayerActivation activation = LayerActivation::identity;
  bool operator==(const DenseSpec&) const = default;
};

struct MlpSpec {
  Index inputs = 1;
  std::vector<DenseSpec> layers;  ///< at least one
  bool bias = true;
  bool operator==(const MlpSpec&) const = default;

  Index outputs() const { return layers.back().width; }
  Index input_width(std::size_t layer) const {
    return layer == 0 ? inputs : layers[layer - 1].width;
  }
  /// Throws Error(usage) that names what is out of range.
  void validate() const;
};
/// "5-7:tanh-3:identity"
std::string to_string(const MlpSpec&);

/// Of one layer: `weight` [width, input width], `bias` [width], absent without bias.
template <class T>
struct DenseParams {
  View<T> weight, bias;

  operator DenseParams<const T>() const requires(!std::is_const_v<T>) { return {weight, bias}; }
};

/// For a fixed number of rows. Running allocates nothing.
template <Scalar T>
class Mlp {
 public:
  /// Throws Error(usage), or Error(unavailable) where its buffers do not fit in memory, before
  /// anything is allocated.
  Mlp(const MlpSpec&, Index rows);

  /// `a` [rows, inputs]. Gives a^L [rows, outputs], valid until the next forward. Throws
  /// Error(usage) where a layer's extents do not fit.
  View<const T> forward(std::span<const DenseParams<const T>>, View<const T> a);
  /// After that forward, with its `a`. `dout` [rows, outputs], the gradient of a^L, is used up.
  /// Writes every layer's gradients and `da` [rows, inputs]; absent ones are not wanted.
  void backward(std::span<const DenseParams<const T>>, View<const T> a, View<T> dout,
                std::span<const DenseParams<T>> grads, View<T> da);

  std::size_t workspace_bytes() const { return buffer_bytes(spec_, rows_); }
  static std::size_t buffer_bytes(const MlpSpec&, Index rows);
  const MlpSpec& spec() const { return spec_; }

 private:
  MlpSpec spec_;
  Index rows_;
  std::vector<Tensor<T>> activations_;  ///< a^l [rows, width]
  std::vector<Tensor<T>> deltas_;       ///< of every layer but the last
};

}  // namespace bptt::net
