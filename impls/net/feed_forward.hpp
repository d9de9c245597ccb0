// A feed-forward network with its cost, as a Model: no recurrence, one row a sample.
#pragma once

#include "impls/net/head.hpp"
#include "impls/net/model.hpp"

namespace bptt::net {

struct FeedForwardSpec {
  Index B = 1;    ///< samples
  Index I = 1;    ///< inputs
  HeadSpec head;  ///< all its layers: hidden ones and the output layer; steps mean nothing here
  bool operator==(const FeedForwardSpec&) const = default;

  /// Throws Error(usage).
  void validate() const;
};
std::string to_string(const FeedForwardSpec&);

/// Its tensors: parameters hidden0.weight, hidden0.bias, ..., output.weight, output.bias; input
/// x [B,I]; target [B,O] (of a softmax cross-entropy: targets()); output loss [1].
template <Scalar T>
std::unique_ptr<Model<T>> make_feed_forward(const FeedForwardSpec&);

}  // namespace bptt::net
