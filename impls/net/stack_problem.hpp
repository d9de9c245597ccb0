// Every tensor that one forward and backward pass of a stack of layers needs, owned.
#pragma once

#include <vector>

#include "impls/api/memory.hpp"
#include "impls/api/stack_tensors.hpp"
#include "impls/api/tensor.hpp"
#include "impls/net/stack.hpp"
#include "impls/net/stack_params.hpp"

namespace bptt::net {

/// What Problem is for a layer. `params`, `in` and `dout` are for the caller to fill; a stack's
/// forward and backward fill `out` and the gradients.
template <Scalar T>
class StackProblem {
 public:
  /// Throws Error(unavailable) where the tensors do not fit in memory.
  explicit StackProblem(const StackSpec& spec)
      : params_((require_memory(bytes(spec), "tensors of " + to_string(spec)), spec)),
        dparams_(spec),
        read_only_(read_only(params_.views())) {
    const auto own = [this](const TensorInfo& info, const View<T>& view) {
      storage_.emplace_back(info.extents);
      const_cast<View<T>&>(view) = storage_.back().view();
    };
    Inputs<T> d;
    for_each(spec, in, own);
    for_each(spec, out, own);
    for_each(spec, dout, own);
    for_each(spec, d, own);
    grads = {dparams_.views(), d.x, d.h0, d.c0};
  }
  StackProblem(const StackProblem&) = delete;
  StackProblem& operator=(const StackProblem&) = delete;

  /// Of the outputs and of every gradient.
  static std::size_t result_bytes(const StackSpec& spec) {
    Index elements = StackParams<T>::elements(spec);
    const auto count = [&](const TensorInfo& info, const View<T>&) {
      elements = checked_sum({elements, info.extents.size()}, "results");
    };
    for_each(spec, Inputs<T>{}, count);
    for_each(spec, Outputs<T>{}, count);
    return static_cast<std::size_t>(
        checked_product({elements, static_cast<Index>(sizeof(T))}, "results"));
  }

  static std::size_t bytes(const StackSpec& spec) {
    const Index params = StackParams<T>::elements(spec);
    Index elements = checked_sum({params, params}, "tensors");
    const auto count = [&](const TensorInfo& info, const View<T>&) {
      elements = checked_sum({elements, info.extents.size()}, "tensors");
    };
    for_each(spec, Inputs<T>{}, count);
    for_each(spec, Inputs<T>{}, count);
    for_each(spec, Outputs<T>{}, count);
    for_each(spec, OutputGrads<T>{}, count);
    return static_cast<std::size_t>(
        checked_product({elements, static_cast<Index>(sizeof(T))}, "tensors"));
  }

  const std::vector<Params<T>>& params() const { return params_.views(); }
  const std::vector<Params<const T>>& params_to_read() const { return read_only_; }

  Inputs<T> in;
  Outputs<T> out;
  OutputGrads<T> dout;
  StackGrads<T> grads;

 private:
  StackParams<T> params_, dparams_;
  std::vector<Params<const T>> read_only_;
  std::vector<Tensor<T>> storage_;
};

}  // namespace bptt::net
