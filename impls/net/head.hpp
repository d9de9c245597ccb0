// The head of a network: dense layers over the states of the steps that count, and a loss.
//
//   q = a V^T + b_y (after hidden dense layers, where there are any)      loss = scale * sum E(q)
#pragma once

#include <span>
#include <string>
#include <vector>

#include "impls/net/loss.hpp"
#include "impls/net/mlp.hpp"

namespace bptt::net {

struct HeadSpec {
  Index O = 1;  ///< outputs
  Loss loss = Loss::softmax_cross_entropy;
  Steps steps = Steps::all;
  Reduction reduction = Reduction::sum;
  std::vector<DenseSpec> hidden{};  ///< dense layers before the output layer
  /// Of the output layer. The cross-entropies bring their own: identity there.
  LayerActivation output = LayerActivation::identity;
  bool bias = true;
  bool operator==(const HeadSpec&) const = default;

  /// All its dense layers, over states of this width.
  MlpSpec mlp(Index width) const;
  /// Throws Error(usage).
  void validate() const;
};
/// "O=6 softmax_cross_entropy last"
std::string to_string(const HeadSpec&);

/// "head.hidden0.", "head.hidden1.", ..., "head.": what precedes "weight" and "bias" of each dense
/// layer.
std::string head_prefix(const HeadSpec&, std::size_t layer);

template <Scalar T>
class Head {
 public:
  /// Over states a [T,B,width]. `lengths` [B], empty where every step is live.
  Head(const HeadSpec&, Index T_, Index B, Index width, std::span<const Index> lengths);

  /// The loss. Padding of `a`, and steps that do not count, are not read.
  T forward(std::span<const DenseParams<const T>>, View<const T> a, const Target<T>&);
  /// After that forward. Writes `da` [T,B,width], zero where a step does not count; absent ones are
  /// not wanted.
  void backward(std::span<const DenseParams<const T>>, View<const T> a,
                std::span<const DenseParams<T>> grads, View<T> da);

  std::size_t workspace_bytes() const;

 private:
  bool every_row_counts() const;
  void check(View<const T> a) const;
  View<const T> counted(View<const T> a) const;

  HeadSpec spec_;
  Extents extents_;          ///< [T,B,width]
  std::vector<Index> rows_;  ///< N that count
  Mlp<T> mlp_;
  Tensor<T> gathered_, dgathered_;  ///< [N,width]
  Tensor<T> dq_;                    ///< [N,O]; backward uses it up
  bool dq_ready_ = false;
};

}  // namespace bptt::net
