// A problem's tensors as lists: what a plan is given, and what it fills. The order is that of the
// visitors in impls/api/tensors.hpp, so that the lists of two problems of one spec pair up; an
// absent tensor stands in the list with an absent view.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "impls/api/tensor.hpp"

namespace bptt::verify {

template <class T>
struct NamedView {
  TensorInfo info;
  View<T> view;
};

inline bool is_parameter(const TensorInfo& info) {
  return info.base_name.starts_with("weight") || info.base_name.starts_with("bias");
}

/// The gates that a parameter's blocks of rows belong to, in their order.
inline std::vector<std::string> gate_names_of(const Cell& cell, const TensorInfo& info) {
  std::vector<std::string> names;
  for (Index g = 0; g < cell.gates(); ++g) names.emplace_back(cell.gate_name(g));
  if (info.base_name == "weight_peephole_l0") std::erase(names, "g");
  return names;
}

/// Appends every tensor of a structure (Params, Inputs, ...).
template <class T, template <class> class Tensors>
void append(const Spec& spec, const Tensors<T>& tensors, std::vector<NamedView<T>>& list) {
  constexpr std::size_t most = 16;  // of any two structures together
  list.reserve(most);
  for_each(spec, tensors, [&](const TensorInfo& info, const View<T>& view) {
    list.push_back({info, view});
  });
}

/// Parameters, inputs, upstream gradients.
template <Scalar T>
std::vector<NamedView<T>> given_tensors(const Problem<T>& p) {
  std::vector<NamedView<T>> list;
  append(p.spec(), p.params, list);
  append(p.spec(), p.in, list);
  append(p.spec(), p.dout, list);
  return list;
}

/// Outputs, gradients.
template <Scalar T>
std::vector<NamedView<T>> result_tensors(const Problem<T>& p) {
  std::vector<NamedView<T>> list;
  append(p.spec(), p.out, list);
  append(p.spec(), p.grads, list);
  return list;
}

template <Scalar T>
std::vector<NamedView<T>> gradient_tensors(const Problem<T>& p) {
  std::vector<NamedView<T>> list;
  append(p.spec(), p.grads, list);
  return list;
}

/// What gradient_tensors() are the gradients of, in the same order and under the same names.
template <Scalar T>
std::vector<NamedView<T>> variable_tensors(const Problem<T>& p) {
  std::vector<NamedView<T>> list;
  append(p.spec(), Grads<T>{p.params, p.in.x, p.in.h0, p.in.c0}, list);
  return list;
}

/// NaN in every result, so that an element which a plan does not write, or adds to, shows.
template <Scalar T>
void poison_results(const Problem<T>& p) {
  for (const auto& [info, view] : result_tensors(p)) {
    std::fill(view.begin(), view.end(), T(std::numeric_limits<double>::quiet_NaN()));
  }
}

template <Scalar T, class PlanOfT>
void run_forward(PlanOfT& plan, const Problem<T>& p) {
  plan.forward(p.params, p.in, p.out);
}

/// Forward and backward over a problem.
template <Scalar T, class PlanOfT>
void run_both(PlanOfT& plan, const Problem<T>& p) {
  plan.forward(p.params, p.in, p.out);
  plan.backward(p.params, p.in, p.dout, p.grads);
}

/// Live steps of sequence b.
template <Scalar T>
Index length_of(const Problem<T>& p, Index b) {
  return p.spec().lengths ? p.lengths()[static_cast<std::size_t>(b)] : p.spec().shape.T;
}

}  // namespace bptt::verify
