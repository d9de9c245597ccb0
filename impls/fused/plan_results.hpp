// For tests: what a plan of `fused` computes from made-up numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "impls/api/backend.hpp"
#include "impls/api/tensor.hpp"

namespace bptt::fused {

std::unique_ptr<Backend> make_backend();

/// One of every length that matters: none, all, one, and some between.
inline Index mixed_length(const Spec& spec, Index sequence) {
  const Index steps = spec.shape.T, lengths[] = {steps * 2 / 3, steps, 0, 1};
  return lengths[sequence % 4];
}

/// A tensor of the caller moved to `offset` elements into a cache line, between lines that nobody
/// may write.
template <Real T>
class Displaced {
 public:
  Displaced(View<T>& view, Index offset)
      : first_(line + offset), last_(first_ + view.size()), all_(Extents{last_ + line}) {
    std::fill(all_.view().begin(), all_.view().end(), guard);
    view = {all_.view().data() + first_, view.extents()};
  }
  ~Displaced() {
    const View<T> all = all_.view();
    const auto is_guard = [](T element) { return element == guard; };
    EXPECT_TRUE(std::all_of(all.begin(), all.begin() + first_, is_guard));
    EXPECT_TRUE(std::all_of(all.begin() + last_, all.end(), is_guard));
  }

 private:
  static constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  static constexpr T guard = T(123);
  Index first_, last_;
  Tensor<T> all_;
};

/// Every number that a forward and a backward pass on a plan produce. y and dx begin `offset`
/// elements into a cache line.
template <Real T>
std::vector<T> results_on(Plan<T>& plan, const Spec& spec,
                          Index (*length)(const Spec&, Index) = mixed_length, Index offset = 0) {
  Problem<T> problem(spec);
  const Displaced<T> y(problem.out.y, offset), dx(problem.grads.x, offset);
  for (std::size_t b = 0; b < problem.lengths().size(); ++b) {
    problem.lengths()[b] = length(spec, static_cast<Index>(b));
  }
  double value = 0.1;
  const auto put = [&](const TensorInfo&, const View<T>& view) {
    for (T& element : view) {
      value = std::fmod(value * 1.618 + 0.357, 1.0);
      element = static_cast<T>((value - 0.5) / 4);
    }
  };
  for_each(spec, problem.params, put);
  for_each(spec, problem.in, put);
  for_each(spec, problem.dout, put);
  // What was there before must not matter.
  for_each(spec, problem.grads, [](const TensorInfo&, const View<T>& view) {
    std::fill(view.begin(), view.end(), T(7));
  });
  plan.forward(problem.params, problem.in, problem.out);
  plan.backward(problem.params, problem.in, problem.dout, problem.grads);
  std::vector<T> all;
  const auto take = [&](const TensorInfo&, const View<T>& view) {
    all.insert(all.end(), view.begin(), view.end());
  };
  for_each(spec, problem.out, take);
  for_each(spec, problem.grads, take);
  return all;
}

}  // namespace bptt::fused
