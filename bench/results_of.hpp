// What a call leaves, tensor by tensor, in parts that are compared by themselves.
#pragma once

#include <string>
#include <vector>

#include "bench/phase.hpp"
#include "impls/net/stack_problem.hpp"

namespace bptt::bench {

/// One result: a tensor over time [T,B,n], states [L*D,B,n] or the gradient of a parameter.
template <Real T>
struct ResultTensor {
  enum class Kind { over_time, states, parameter };
  std::string name;  ///< as in messages: "grad.weight_hh_l0"
  Kind kind;
  bool is_gradient;
  View<T> view;
  Index slices;  ///< along the outermost axis: steps, states, gates

  /// Where an element is: "y t=3 batch 1 column 0".
  std::string place(Index at) const;
};

/// Of a call of the phase: what forward leaves, what backward does, or both.
template <Real T>
std::vector<ResultTensor<T>> results_of(const StackSpec&, const net::StackProblem<T>&, Phase);

template <Real T>
std::string ResultTensor<T>::place(Index at) const {
  const Extents& extents = view.extents();
  const Index n = extents[extents.rank() - 1];
  const auto part = [](const char* what, Index value) { return what + std::to_string(value); };
  if (kind == Kind::parameter) {
    if (extents.rank() == 1) return name + part(" row ", at);
    return name + part(" row ", at / n) + part(" column ", at % n);
  }
  const Index B = extents[1], block = at / n / B;
  const std::string outer = kind == Kind::over_time ? part(" t=", block)
                            : extents[0] > 1        ? part(" state ", block)
                                                    : "";
  return name + outer + part(" batch ", at / n % B) + part(" column ", at % n);
}

template <Real T>
std::vector<ResultTensor<T>> results_of(const StackSpec& spec, const net::StackProblem<T>& problem,
                                        Phase phase) {
  using Kind = typename ResultTensor<T>::Kind;
  std::vector<ResultTensor<T>> results;
  const auto batched = [&](bool gradient) {
    return [&results, gradient](const TensorInfo& info, const View<T>& view) {
      if (!view) return;
      const bool over_time = info.base_name == "x" || info.base_name == "y";
      results.push_back({(gradient ? "grad." : "") + std::string(info.base_name),
                         over_time ? Kind::over_time : Kind::states, gradient, view,
                         view.extents()[0]});
    };
  };
  if (phase != Phase::backward) for_each(spec, problem.out, batched(false));
  if (phase == Phase::forward) return results;
  const auto& grads = problem.grads;
  for_each(spec, Inputs<T>{grads.x, grads.h0, grads.c0, {}}, batched(true));
  const std::vector<Params<T>> params(grads.params.begin(), grads.params.end());
  net::for_each_parameter(
      spec, params, [&](const std::string& name, const TensorInfo& info, const View<T>& view) {
        const bool peephole = info.base_name.starts_with("weight_peephole");
        results.push_back({"grad." + name, Kind::parameter, true, view,
                           peephole ? view.extents()[0] : spec.cell.gates()});
      });
  return results;
}

}  // namespace bptt::bench
