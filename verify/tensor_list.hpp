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

/// Makes absent in `to` what is absent in `from`. Of one spec.
template <Scalar From, Scalar To>
void match_presence(const Problem<From>& from, Problem<To>& to) {
  const auto match = [](const View<From>& source, View<To>& target) {
    if (!source) target = View<To>();
  };
  match(from.in.h0, to.in.h0);
  match(from.in.c0, to.in.c0);
  match(from.out.hT, to.out.hT);
  match(from.out.cT, to.out.cT);
  match(from.dout.y, to.dout.y);
  match(from.dout.hT, to.dout.hT);
  match(from.dout.cT, to.dout.cT);
  match(from.grads.x, to.grads.x);
  match(from.grads.h0, to.grads.h0);
  match(from.grads.c0, to.grads.c0);
  match(from.grads.params.weight_ih, to.grads.params.weight_ih);
  match(from.grads.params.weight_hh, to.grads.params.weight_hh);
  match(from.grads.params.bias_ih, to.grads.params.bias_ih);
  match(from.grads.params.bias_hh, to.grads.params.bias_hh);
}

/// Lengths, presence and the values of every given tensor.
template <Scalar From, Scalar To>
void copy_given(const Problem<From>& from, Problem<To>& to) {
  to.lengths() = from.lengths();
  to.in.lengths = to.lengths();
  match_presence(from, to);
  const auto source = given_tensors(from);
  const auto target = given_tensors(to);
  for (std::size_t i = 0; i < source.size(); ++i) {
    std::transform(source[i].view.begin(), source[i].view.end(), target[i].view.begin(),
                   [](const From& value) { return static_cast<To>(value); });
  }
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
