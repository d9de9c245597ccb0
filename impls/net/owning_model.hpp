// What every model here is built on: its tensors and buffers are declared first, then counted, and
// only then allocated.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "impls/net/head.hpp"
#include "impls/net/model.hpp"
#include "impls/net/stack.hpp"

namespace bptt::net {

/// The tensors of one stack in a model.
template <Scalar T>
struct StackTensors {
  std::vector<Params<T>> params, dparams;
  std::vector<Params<const T>> read_only_params;  ///< `params`, once allocated
  Inputs<T> in;
  Inputs<T> din;  ///< gradients of `in`
  Outputs<T> out;
  OutputGrads<T> dout;

  StackGrads<T> grads() const { return {dparams, din.x, din.h0, din.c0}; }
};

/// Those of one head.
template <Scalar T>
struct HeadTensors {
  std::vector<DenseParams<T>> params, dparams;
  std::vector<DenseParams<const T>> read_only_params;
  View<T> target;
  View<T> loss;
};

template <Scalar T>
class OwningModel : public Model<T> {
 protected:
  /// `tensor` comes without its views; they go to *value, and where there is a gradient to
  /// *gradient, which must stay where they are until allocate(). Rank 0: there is no such tensor.
  void declare(ModelTensor<T> tensor, const Extents& extents, View<T>* value,
               View<T>* gradient = nullptr);
  /// Memory that no list shows; part of the workspace.
  void declare_buffer(const Extents& extents, View<T>* buffer);

  /// Each appends the members of one structure. Names get the prefix ("encoder.").
  void declare_parameters(const StackSpec&, const std::string& prefix, StackTensors<T>&);
  void declare_inputs(const StackSpec&, const std::string& prefix, const std::vector<Index>&,
                      StackTensors<T>&);
  void declare_upstream(const StackSpec&, const std::vector<Index>&, StackTensors<T>&);
  void declare_outputs(const StackSpec&, const std::string& prefix, const std::vector<Index>&,
                       StackTensors<T>&);
  /// `prefix_of(layer)`: what precedes "weight" and "bias".
  template <class PrefixOf>
  void declare_parameters(const MlpSpec&, PrefixOf prefix_of, HeadTensors<T>&);
  /// Real targets as a tensor, integer ones as targets(). `like` has the target's name, axis and
  /// lengths; `extents` end in O.
  void declare_target(const HeadSpec&, ModelTensor<T> like, const Extents& extents,
                      HeadTensors<T>&);
  void declare_loss(HeadTensors<T>&);

  /// Throws Error(usage) where sizes do not fit in 64 bits, Error(unavailable) naming `what` where
  /// they do not fit in memory.
  void allocate(const std::string& what);

  std::size_t buffer_bytes() const { return buffer_bytes_; }
  Target<T> target_of(const HeadTensors<T>& head) const { return {head.target, this->targets_}; }

  /// Tensor over time: of the padding that `lengths` tells, where there are any.
  static ModelTensor<T> over_time(std::string name, Role, Index steps,
                                  const std::vector<Index>& lengths);
  static ModelTensor<T> plain(std::string name, Role);

 private:
  struct Declared {
    ModelTensor<T> tensor;
    Extents extents;
    View<T>* value;
    View<T>* gradient;
    bool is_listed;
  };
  template <class Tensors>
  void declare_all(const StackSpec&, const std::string& prefix, Role, const std::vector<Index>&,
                   const Tensors& values, const Tensors* gradients);

  std::vector<Declared> declared_;
  std::vector<Tensor<T>> storage_;
  std::size_t buffer_bytes_ = 0;
};

template <Scalar T>
template <class PrefixOf>
void OwningModel<T>::declare_parameters(const MlpSpec& spec, PrefixOf prefix_of,
                                        HeadTensors<T>& head) {
  head.params.resize(spec.layers.size());
  head.dparams.resize(spec.layers.size());
  for (std::size_t l = 0; l < spec.layers.size(); ++l) {
    const Index width = spec.layers[l].width;
    const std::string prefix = prefix_of(l);
    declare(plain(prefix + "weight", Role::parameter), {width, spec.input_width(l)},
            &head.params[l].weight, &head.dparams[l].weight);
    declare(plain(prefix + "bias", Role::parameter), spec.bias ? Extents{width} : Extents{},
            &head.params[l].bias, &head.dparams[l].bias);
  }
}

}  // namespace bptt::net
