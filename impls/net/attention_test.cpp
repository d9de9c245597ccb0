// Attention against its sums written out. Its gradients: architectures_test.cpp.
#include "impls/net/attention.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "impls/api/tensor.hpp"
#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

constexpr Index U = 4, T = 5, B = 3, H = 2;

/// Numbers at live steps, NaN at padding.
Tensor<double> filled(Index steps, const std::vector<Index>& lengths) {
  Tensor<double> tensor({steps, B, H});
  Index k = 0;
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < B; ++b) {
      for (Index j = 0; j < H; ++j) {
        tensor.view()(t, b, j) = t < lengths[static_cast<std::size_t>(b)]
                                     ? 4 * number(++k) - 2
                                     : std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  return tensor;
}

TEST(Attention, IsTheSumWrittenOut) {
  const std::vector<Index> queries = {4, 1, 3}, sources = {2, 5, 0};
  Tensor<double> s = filled(U, queries), h = filled(T, sources);
  Tensor<double> weights({U, B, T}), context({U, B, H});
  attention_forward<double>(s.view(), h.view(), {queries, sources}, weights.view(), context.view());
  for (Index t = 0; t < U; ++t) {
    for (Index b = 0; b < B; ++b) {
      const Index n =
          t < queries[static_cast<std::size_t>(b)] ? sources[static_cast<std::size_t>(b)] : 0;
      double sum = 0;
      std::vector<double> e(T), c(H);
      for (Index k = 0; k < n; ++k) {
        double score = 0;
        for (Index j = 0; j < H; ++j) score += s.view()(t, b, j) * h.view()(k, b, j);
        sum += e[static_cast<std::size_t>(k)] = std::exp(score);
      }
      for (Index k = 0; k < T; ++k) {
        const double alpha = k < n ? e[static_cast<std::size_t>(k)] / sum : 0;
        EXPECT_NEAR(weights.view()(t, b, k), alpha, 1e-15);
        for (Index j = 0; k < n && j < H; ++j) {
          c[static_cast<std::size_t>(j)] += alpha * h.view()(k, b, j);
        }
      }
      for (Index j = 0; j < H; ++j) {
        EXPECT_NEAR(context.view()(t, b, j), c[static_cast<std::size_t>(j)], 1e-15);
      }
    }
  }
}

TEST(Attention, RefusesExtentsThatDoNotFit) {
  Tensor<double> s({U, B, H}), h({T, B, H + 1}), weights({U, B, T}), context({U, B, H});
  EXPECT_THROW(attention_forward<double>(s.view(), h.view(), {}, weights.view(), context.view()),
               Error);
}

}  // namespace
}  // namespace bptt::net
