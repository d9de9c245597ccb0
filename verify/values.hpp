// What goes into a model and what comes out of it, as plain numbers: the same list for a float
// model, its long double reference and a file.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "verify/layout.hpp"

namespace bptt::verify {

/// The numbers of several tensors, in the order of a list of layouts or of a model's tensors.
template <class T>
using Values = std::vector<std::vector<T>>;

/// What a model is given: its tensors but the outputs, in the order of Model::tensors().
struct Given {
  Values<double> values;
  std::vector<Index> targets;  ///< as Model::targets()
};

template <Scalar T>
bool is_given(const net::ModelTensor<T>& tensor) {
  return tensor.role != net::Role::output;
}

/// The tensors that a Given lists.
template <Scalar T>
std::vector<net::ModelTensor<T>> given_tensors(const net::Model<T>& model) {
  std::vector<net::ModelTensor<T>> list;
  for (const auto& tensor : model.tensors()) {
    if (is_given(tensor)) list.push_back(tensor);
  }
  return list;
}

template <Scalar T>
void set_given(const Given& given, net::Model<T>& model) {
  const auto tensors = given_tensors(model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    std::transform(given.values[i].begin(), given.values[i].end(), tensors[i].value.begin(),
                   [](double value) { return static_cast<T>(value); });
  }
  model.targets() = given.targets;
}

/// Every output and every gradient, in one order.
template <Scalar T, class Visit>
void for_each_result(const net::Model<T>& model, Visit visit) {
  for (const auto& tensor : model.tensors()) {
    if (tensor.role == net::Role::output) visit(tensor, tensor.value, false);
  }
  for (const auto& tensor : model.tensors()) {
    if (tensor.gradient) visit(tensor, tensor.gradient, true);
  }
}

/// Of every result of a model: outputs, gradients.
template <Scalar T>
std::vector<Layout> result_layouts(const net::Model<T>& model, const Cell& cell) {
  const bool reversed = std::any_of(
      model.tensors().begin(), model.tensors().end(),
      [](const net::ModelTensor<T>& tensor) { return tensor.name.ends_with("_reverse"); });
  std::vector<Layout> layouts;
  for_each_result(model, [&](const net::ModelTensor<T>& tensor, const View<T>&, bool gradient) {
    layouts.push_back(layout_of(tensor, gradient, cell, reversed ? 2 : 1));
  });
  return layouts;
}

/// Where a result of that name is in a list of layouts, which has it.
inline std::size_t result_index(const std::vector<Layout>& layouts, const std::string& name) {
  const auto found = std::find_if(layouts.begin(), layouts.end(),
                                  [&](const Layout& layout) { return layout.name == name; });
  return static_cast<std::size_t>(found - layouts.begin());
}

/// A copy of every result that a model holds.
template <Scalar T>
Values<T> results_of(const net::Model<T>& model) {
  Values<T> results;
  for_each_result(model, [&](const net::ModelTensor<T>&, const View<T>& view, bool) {
    results.emplace_back(view.begin(), view.end());
  });
  return results;
}

/// NaN in every result, so that an element which is not written, or added to, shows; then forward
/// and backward.
template <Scalar T>
Values<T> run(net::Model<T>& model, const Given& given) {
  set_given(given, model);
  for_each_result(model, [](const net::ModelTensor<T>&, const View<T>& view, bool) {
    std::fill(view.begin(), view.end(), T(std::numeric_limits<double>::quiet_NaN()));
  });
  model.forward();
  model.backward();
  return results_of(model);
}

/// Calls add(upstream, output) for every term of the inner product that the upstream gradients of
/// `given` stand for: that of dy and y over live steps, of dhT and hT, of dcT and cT.
template <Scalar T, class Add>
void for_each_term(const net::Model<T>& model, const Given& given, Add add) {
  const auto tensors = given_tensors(model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].role != net::Role::upstream) continue;
    for (const auto& output : model.tensors()) {
      if (output.role != net::Role::output || "d" + output.name != tensors[i].name) continue;
      const Layout layout = layout_of(output, false, Cell(), 1);
      for (Index e = 0; e < output.value.size(); ++e) {
        if (is_padding(layout, e)) continue;
        add(given.values[i][static_cast<std::size_t>(e)], output.value[e]);
      }
    }
  }
}

}  // namespace bptt::verify
