// Products in every type: sums written out, with strides, and nothing read that is to be
// overwritten.
#include "impls/net/products.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

template <class T>
class Products : public testing::Test {};
using Types = testing::Types<float, double, long double, std::complex<double>>;
TYPED_TEST_SUITE(Products, Types);

/// Numbers that every type holds and whose small sums are exact.
template <class T>
T small_number(Index k) {
  return T(static_cast<float>(k * k % 11 - 5));
}

TYPED_TEST(Products, AreTheSumsWrittenOut) {
  using T = TypeParam;
  constexpr Index M = 3, N = 4, K = 5, stride = 7;
  for (const Op op_a : {Op::none, Op::transpose}) {
    for (const Op op_b : {Op::none, Op::transpose}) {
      for (const T beta : {T(0), T(1)}) {
        std::vector<T> a(stride * stride), b(stride * stride), c(M * stride);
        for (Index k = 0; k < stride * stride; ++k) {
          a[static_cast<std::size_t>(k)] = small_number<T>(k + 1);
          b[static_cast<std::size_t>(k)] = small_number<T>(3 * k + 2);
        }
        const T untouched(static_cast<float>(99));
        const T before =
            beta == T(0) ? T(std::numeric_limits<float>::quiet_NaN()) : T(static_cast<float>(2));
        std::fill(c.begin(), c.end(), untouched);
        for (Index i = 0; i < M; ++i) std::fill_n(c.data() + i * stride, N, before);
        const bool a_none = op_a == Op::none, b_none = op_b == Op::none;
        multiply<T>(op_a, {a.data(), a_none ? M : K, a_none ? K : M, stride}, op_b,
                    {b.data(), b_none ? K : N, b_none ? N : K, stride}, beta,
                    {c.data(), M, N, stride});
        for (Index i = 0; i < M; ++i) {
          for (Index j = 0; j < stride; ++j) {
            T sum = beta == T(0) ? T(0) : before;
            for (Index k = 0; k < K; ++k) {
              sum += a[static_cast<std::size_t>(a_none ? i * stride + k : k * stride + i)] *
                     b[static_cast<std::size_t>(b_none ? k * stride + j : j * stride + k)];
            }
            EXPECT_EQ(c[static_cast<std::size_t>(i * stride + j)], j < N ? sum : untouched);
          }
        }
      }
    }
  }
}

TYPED_TEST(Products, SumsOfRowsOverwrite) {
  using T = TypeParam;
  std::vector<T> m(10), out(2, T(std::numeric_limits<float>::quiet_NaN()));
  for (Index k = 0; k < 10; ++k) m[static_cast<std::size_t>(k)] = small_number<T>(k);
  sum_rows<T>({m.data(), 3, 2, 4}, out.data());
  for (std::size_t j = 0; j < 2; ++j) EXPECT_EQ(out[j], m[j] + m[4 + j] + m[8 + j]);
}

}  // namespace
}  // namespace bptt::net
