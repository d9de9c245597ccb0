// Text that a language model makes up, character by character.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/char_lm/language_model.hpp"
#include "impls/net/dense.hpp"
#include "impls/net/random.hpp"
#include "impls/net/stack.hpp"

namespace bptt::bench {

/// Draws an index with probability proportional to exp(logit/temperature); at temperature 0 the
/// first of the largest.
template <Real T>
Index draw(View<const T> logits, double temperature, net::Random& random) {
  const T* const largest = std::max_element(logits.begin(), logits.end());
  if (temperature == 0) return largest - logits.begin();
  const auto weight = [&](T logit) {
    return std::exp((static_cast<double>(logit) - static_cast<double>(*largest)) / temperature);
  };
  double sum = 0;
  for (const T logit : logits) sum += weight(logit);
  double left = random.uniform() * sum;
  for (Index k = 0; k < logits.size(); ++k) {
    left -= weight(logits[k]);
    if (left < 0) return k;
  }
  // Rounding may leave a little over.
  return largest - logits.begin();
}

/// A model run one step at a time on one sequence.
template <Real T>
class Speaker {
 public:
  /// The model must outlive it.
  Speaker(const LanguageModel<T>& model, StackSpec spec, const net::PlanMaker<T>& plans)
      : model_(model),
        stack_(single_step(spec), plans),
        x_({1, 1, spec.shape.I}),
        y_({1, 1, spec.output_width()}),
        logits_({1, 1, spec.shape.I}),
        h_({spec.states(), 1, spec.shape.H}),
        c_(spec.cell.has_cell_state() ? Tensor<T>(h_.view().extents()) : Tensor<T>()),
        next_h_(h_.view().extents()),
        next_c_(spec.cell.has_cell_state() ? Tensor<T>(h_.view().extents()) : Tensor<T>()) {}

  /// Logits of what follows, after one more character.
  View<const T> hear(Index character) {
    x_.view()[character] = T{1};
    stack_.forward(model_.layers(), {x_.view(), h_.view(), c_.view(), {}},
                   {y_.view(), next_h_.view(), next_c_.view()});
    x_.view()[character] = T{};
    std::swap(h_, next_h_);
    std::swap(c_, next_c_);
    net::dense_forward<T>(std::as_const(y_).view(), model_.weight(), model_.bias(), logits_.view());
    return {logits_.view().data(), {logits_.view().size()}};
  }

  std::vector<Index> speak(std::span<const Index> prime, Index count, double temperature,
                           std::uint64_t seed) {
    // A stream of its own: the text does not repeat what the parameters were drawn from.
    constexpr std::uint64_t stream = 1;
    net::Random random(seed, stream);
    std::vector<Index> said;
    for (const Index character : prime.first(prime.size() - 1)) hear(character);
    for (Index last = prime.back(); static_cast<Index>(said.size()) < count; said.push_back(last)) {
      last = draw(hear(last), temperature, random);
    }
    return said;
  }

 private:
  static StackSpec single_step(StackSpec spec) {
    spec.shape.T = spec.shape.B = 1;
    return spec;
  }

  const LanguageModel<T>& model_;
  net::Stack<T> stack_;
  Tensor<T> x_, y_, logits_;
  Tensor<T> h_, c_, next_h_, next_c_;
};

}  // namespace bptt::bench
