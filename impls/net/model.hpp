// A model: recurrent layers of any backend and what stands on them, ending in one scalar loss, as
// named tensors. What a verifier, an optimiser and a weights file need to know of it, and no more.
//
// Every model is written once, for every scalar type: on naive's plans in long double and complex
// numbers it is its own oracle.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "impls/net/plan_maker.hpp"

namespace bptt::net {

enum class Role {
  parameter,  ///< learned; has a gradient
  input,      ///< x, initial states; has a gradient
  upstream,   ///< dy, dhT, dcT: the loss is their inner product with y, hT, cT
  target,     ///< what a loss compares with; real numbers (integer targets: Model::targets())
  output,     ///< what forward leaves
};

/// What the outermost axis of a tensor counts, so that a comparison can judge each part by itself
/// and a message can say where an element is.
enum class OuterAxis { none, time, gates, states };

/// A tensor with its gradient.
template <Scalar T>
struct ModelTensor {
  std::string name;  ///< as in a file: "weight_hh_l1_reverse", "x", "head.weight", "y"
  Role role = Role::parameter;
  OuterAxis outer = OuterAxis::none;
  /// Blocks along the outermost axis: T of time, L*D of states, G of gates.
  Index blocks = 1;
  std::vector<std::string> gate_names{};  ///< of OuterAxis::gates
  /// Of a tensor over time [T,B,...]: live steps of each sequence; steps at and beyond are padding.
  /// nullptr: none is. Belongs to the model.
  const std::vector<Index>* lengths = nullptr;
  View<T> value;
  View<T> gradient{};  ///< parameters and inputs only
};

/// Owns its tensors and its plans. After construction the caller fills parameters, inputs, upstream
/// gradients and targets through tensors(); running then allocates nothing.
template <Scalar T>
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  virtual ~Model() = default;

  /// In the order of every list and table; the same for every T.
  const std::vector<ModelTensor<T>>& tensors() const { return tensors_; }
  /// Integer targets of a softmax cross-entropy, [T*B] of the output's T, time-major; empty: none.
  std::vector<Index>& targets() { return targets_; }
  const std::vector<Index>& targets() const { return targets_; }
  /// What `targets` are below.
  virtual Index classes() const { return 0; }

  /// Outputs, and loss().
  virtual void forward() = 0;
  /// The scalar that the gradients are of. Of the forward call before it.
  virtual T loss() const = 0;
  /// After a forward: every gradient, overwritten.
  virtual void backward() = 0;
  /// Of all its plans.
  virtual std::size_t workspace_bytes() const = 0;

 protected:
  std::vector<ModelTensor<T>> tensors_;
  std::vector<Index> targets_;
};

}  // namespace bptt::net
