// The parameters of a stack: memory for them, or for their gradients, and their names.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "impls/api/stack_spec.hpp"
#include "impls/api/tensor.hpp"

namespace bptt::net {

/// Calls visit(name, TensorInfo, view) for every parameter there is, in PyTorch's order: layer 0
/// forward, layer 0 reverse, layer 1 ... `params` has L*D members; `name` is
/// "weight_hh_l1_reverse".
template <class T, class Visit>
void for_each_parameter(const StackSpec& spec, const std::vector<Params<T>>& params,
                        Visit&& visit) {
  for (Index layer = 0; layer < spec.layers; ++layer) {
    for (Index direction = 0; direction < spec.directions(); ++direction) {
      const auto at = static_cast<std::size_t>(layer * spec.directions() + direction);
      for_each(spec.layer_spec(layer), params[at], [&](const TensorInfo& info, const auto& view) {
        if (info.extents.rank() == 0) return;
        visit(parameter_name(info.base_name, layer, direction), info, view);
      });
    }
  }
}

/// Owns one tensor for each parameter; zero at first.
template <Scalar T>
class StackParams {
 public:
  explicit StackParams(const StackSpec& spec) : views_(static_cast<std::size_t>(spec.states())) {
    for_each_parameter(spec, views_,
                       [&](const std::string&, const TensorInfo& info, const View<T>& view) {
                         storage_.emplace_back(info.extents);
                         const_cast<View<T>&>(view) = storage_.back().view();
                       });
  }

  const std::vector<Params<T>>& views() const { return views_; }  ///< L*D

  /// How many numbers they are.
  static Index elements(const StackSpec& spec) {
    Index sum = 0;
    const std::vector<Params<T>> none(static_cast<std::size_t>(spec.states()));
    for_each_parameter(spec, none, [&](const std::string&, const TensorInfo& info, const View<T>&) {
      sum = checked_sum({sum, info.extents.size()}, "parameters");
    });
    return sum;
  }

 private:
  std::vector<Params<T>> views_;
  std::vector<Tensor<T>> storage_;
};

}  // namespace bptt::net
