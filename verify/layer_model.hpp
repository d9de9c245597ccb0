// One recurrent layer as a model, so that it is judged as any other: its loss is the inner product
// of the upstream gradients with y, hT and cT. Tensors that a problem does not have (h0 not given,
// dx not wanted) are not in its list, or have no gradient there.
#pragma once

#include <memory>

#include "impls/net/model.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {

template <Scalar T>
class LayerModel final : public net::Model<T> {
 public:
  /// `prepare` sets the lengths of the problem, and makes absent what is not to be there.
  template <class Prepare>
  LayerModel(const Spec& spec, const net::PlanMaker<T>& make_plan, Prepare prepare)
      : problem_(spec), plan_(make_plan(spec)) {
    prepare(problem_);
    problem_.in.lengths = problem_.lengths();
    list_tensors();
  }

  void forward() override { run_forward(*plan_, problem_); }
  void backward() override {
    plan_->backward(problem_.params, problem_.in, problem_.dout, problem_.grads);
  }
  T loss() const override;
  std::size_t workspace_bytes() const override { return plan_->workspace_bytes(); }

 private:
  void list_tensors();

  Problem<T> problem_;
  std::unique_ptr<Plan<T>> plan_;
};

template <Scalar T>
T LayerModel<T>::loss() const {
  const auto [T_, B, I, H] = problem_.spec().shape;
  const auto& up = problem_.dout;
  const auto& out = problem_.out;
  T sum(0);
  for (Index b = 0; up.y && b < B; ++b) {
    for (Index t = 0; t < length_of(problem_, b); ++t) {
      for (Index j = 0; j < H; ++j) sum += up.y(t, b, j) * out.y(t, b, j);
    }
  }
  for (Index e = 0; e < up.hT.size(); ++e) sum += up.hT[e] * out.hT[e];
  for (Index e = 0; e < up.cT.size(); ++e) sum += up.cT[e] * out.cT[e];
  return sum;
}

template <Scalar T>
void LayerModel<T>::list_tensors() {
  using net::OuterAxis;
  using net::Role;
  const Spec& spec = problem_.spec();
  std::vector<View<T>> gradients;
  for (const auto& [info, view] : gradient_tensors(problem_)) gradients.push_back(view);
  const auto add = [&](const NamedView<T>& named, Role role, const View<T>& gradient) {
    if (!named.view) return;
    net::ModelTensor<T> tensor;
    tensor.name = named.info.base_name;
    tensor.role = role;
    tensor.value = named.view;
    tensor.gradient = gradient;
    if (role == Role::parameter) {
      tensor.outer = OuterAxis::gates;
      tensor.gate_names = gate_names_of(spec.cell, named.info);
      tensor.blocks = static_cast<Index>(tensor.gate_names.size());
    } else if (named.info.extents.rank() == 3) {
      tensor.outer = OuterAxis::time;
      tensor.blocks = spec.shape.T;
      if (spec.lengths) tensor.lengths = &problem_.lengths();
    } else {
      tensor.outer = OuterAxis::states;
    }
    this->tensors_.push_back(std::move(tensor));
  };
  const auto variables = variable_tensors(problem_);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const bool learned = is_parameter(variables[i].info);
    add(variables[i], learned ? Role::parameter : Role::input, gradients[i]);
  }
  std::vector<NamedView<T>> rest;
  append(spec, problem_.dout, rest);
  for (const auto& upstream : rest) add(upstream, Role::upstream, {});
  rest.clear();
  append(spec, problem_.out, rest);
  for (const auto& output : rest) add(output, Role::output, {});
}

}  // namespace bptt::verify
