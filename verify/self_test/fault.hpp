// What a planted fault may look at and spoil: the results of an honest plan, right after it has
// filled them.
#pragma once

#include <algorithm>
#include <any>
#include <complex>
#include <functional>
#include <tuple>
#include <utility>

#include "impls/api/tensor.hpp"
#include "impls/net/model.hpp"

namespace bptt::verify {

template <Scalar T>
struct FaultContext {
  const Spec& spec;
  const Exec& exec;
  int plan_number;  ///< how many plans its backend had made before this one
  int call;         ///< 1 for a plan's first
  bool backward;    ///< else forward has just run
  Params<const T> params;
  Inputs<const T> in;
  OutputGrads<const T> dout;  ///< backward only
  Outputs<T> out;             ///< of the last forward, also in backward
  Grads<T> grads;             ///< backward only
  std::any& memory;           ///< the plan's own; empty at first
  const net::PlanMaker<T>& honest_plan;

  /// The honest plan anew, forward and backward, with other inputs, into this context's results.
  void compute_with(const Spec& other, const Inputs<const T>& inputs,
                    const OutputGrads<const T>& upstream) {
    compute_with(other, params, inputs, upstream);
  }
  void compute_with(const Spec& other, const Params<const T>& weights,
                    const Inputs<const T>& inputs, const OutputGrads<const T>& upstream) {
    const auto plan = honest_plan(other);
    if (!backward) {
      plan->forward(weights, inputs, out);
      return;
    }
    Problem<T> scratch(other);
    plan->forward(weights, inputs, scratch.out);
    plan->backward(weights, inputs, upstream, grads);
  }
};

template <Scalar T>
using Spoil = std::function<void(FaultContext<T>&)>;

/// A name and a spoiler: a generic function of a FaultContext.
struct Fault {
  std::string name;
  std::tuple<Spoil<float>, Spoil<double>, Spoil<long double>, Spoil<std::complex<double>>> spoilers;

  /// Of a backend.
  template <class S>
  static Fault make(std::string name, S spoil) {
    return {std::move(name), {spoil, spoil, {}, {}}};
  }
  /// Of a backend and of the reference alike, in whatever type.
  template <class S>
  static Fault make_for_all(std::string name, S spoil) {
    return {std::move(name), {spoil, spoil, spoil, spoil}};
  }

  template <Scalar T>
  void spoil(FaultContext<T>& context) const {
    if (const auto& spoiler = std::get<Spoil<T>>(spoilers)) spoiler(context);
  }
  /// It spoils something.
  bool is_planted() const { return static_cast<bool>(std::get<0>(spoilers)); }
  /// The reference has it, too.
  bool is_shared() const { return static_cast<bool>(std::get<2>(spoilers)); }
};

}  // namespace bptt::verify
