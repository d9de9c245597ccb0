#include <memory>
#include <vector>

#include <cblas.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/linalg/blas_kernels.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/linalg/gemm.hpp"

namespace bptt::linalg {
namespace {

/// Elements of a rows x cols matrix with a stride that leaves a gap of 7s between rows.
std::vector<double> numbers(Index rows, Index cols, Index stride, double seed) {
  std::vector<double> values(static_cast<std::size_t>(rows * stride), 7.0);
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < cols; ++c) {
      values[static_cast<std::size_t>(r * stride + c)] =
          seed + 0.5 * double(r) - 0.25 * double(c * r % 5);
    }
  }
  return values;
}

TEST(Gemm, EveryFormAgreesWithItsDefinition) {
  constexpr Index m = 5, n = 3, k = 4;
  for (const Op op_a : {Op::none, Op::transpose}) {
    for (const Op op_b : {Op::none, Op::transpose}) {
      for (const double beta : {0.0, 1.0, 0.5}) {
        const Index ar = op_a == Op::none ? m : k, ac = op_a == Op::none ? k : m;
        const Index br = op_b == Op::none ? k : n, bc = op_b == Op::none ? n : k;
        auto a = numbers(ar, ac, 9, 1), b = numbers(br, bc, 8, -2), c = numbers(m, n, 6, 3);
        const auto before = c;
        gemm<double>(op_a, Matrix<const double>(a.data(), ar, ac, 9), op_b,
                     Matrix<const double>(b.data(), br, bc, 8), beta,
                     Matrix<double>(c.data(), m, n, 6));
        const auto at = [](const std::vector<double>& v, Index r, Index col, Index stride) {
          return v[static_cast<std::size_t>(r * stride + col)];
        };
        for (Index i = 0; i < m; ++i) {
          for (Index j = 0; j < n; ++j) {
            double sum = beta * at(before, i, j, 6);
            for (Index p = 0; p < k; ++p) {
              sum += (op_a == Op::none ? at(a, i, p, 9) : at(a, p, i, 9)) *
                     (op_b == Op::none ? at(b, p, j, 8) : at(b, j, p, 8));
            }
            EXPECT_DOUBLE_EQ(at(c, i, j, 6), sum);
          }
          EXPECT_EQ(at(c, i, n, 6), 7.0) << "wrote between the rows";
        }
      }
    }
  }
}

TEST(Gemm, AnEmptySumIsZero) {
  std::vector<float> c(4, 5.0F);
  gemm<float>(Op::transpose, Matrix<const float>(c.data(), 0, 2), Op::none,
              Matrix<const float>(c.data(), 0, 2), 0.0F, Matrix<float>(c.data(), 2, 2));
  EXPECT_THAT(c, testing::Each(0.0F));
}

TEST(ColumnSums, OfARangeOfColumns) {
  const auto m = numbers(6, 4, 4, 1);
  const Matrix<const double> all(m.data(), 6, 4);
  std::vector<double> sums(2, 100.0);
  column_sums<double>(all.col_range(1, 2), sums.data(), true);
  for (Index c = 0; c < 2; ++c) {
    double sum = 100;
    for (Index r = 0; r < 6; ++r) sum += m[static_cast<std::size_t>(r * 4 + c + 1)];
    EXPECT_DOUBLE_EQ(sums[static_cast<std::size_t>(c)], sum);
  }
}

TEST(BlasThreads, AreRestored) {
  const int before = openblas_get_num_threads();
  {
    const BlasThreads outer(1);
    EXPECT_EQ(openblas_get_num_threads(), 1);
    {
      const BlasThreads inner(2);
      EXPECT_EQ(openblas_get_num_threads(), 2);
    }
    EXPECT_EQ(openblas_get_num_threads(), 1);
  }
  EXPECT_EQ(openblas_get_num_threads(), before);
  EXPECT_GE(max_blas_threads(), 1);
}

// Of plans that run side by side.
TEST(BlasThreads, LastWhileAnyScopeIsOpen) {
  const int before = openblas_get_num_threads();
  {
    const BlasThreads outer(2);
    auto first = std::make_unique<BlasThreads>(1), second = std::make_unique<BlasThreads>(1);
    first.reset();
    EXPECT_EQ(openblas_get_num_threads(), 1);
    first = std::make_unique<BlasThreads>(1);
    second.reset();
    EXPECT_EQ(openblas_get_num_threads(), 1);
    first.reset();
    EXPECT_EQ(openblas_get_num_threads(), 2);
  }
  EXPECT_EQ(openblas_get_num_threads(), before);
}

TEST(BlasKernels, Avx2KernelsAreNotEnoughForAvx512) {
  const CpuFeatures avx512{true, true}, avx2{false, true};
  EXPECT_EQ(better_core_type("Haswell", avx512), "SkylakeX");
  EXPECT_EQ(better_core_type("Zen", avx512), "SkylakeX");
  EXPECT_EQ(better_core_type("Prescott", avx512), "SkylakeX");
  EXPECT_EQ(better_core_type("SkylakeX", avx512), std::nullopt);
  EXPECT_EQ(better_core_type("Cooperlake", avx512), std::nullopt);
  EXPECT_EQ(better_core_type("Zen", avx2), std::nullopt);
  EXPECT_EQ(better_core_type("Prescott", avx2), "Haswell");
  EXPECT_EQ(better_core_type("Prescott", CpuFeatures{}), std::nullopt);
}

TEST(BlasKernels, AreNamed) {
  const BlasKernels kernels = blas_kernels();
  EXPECT_THAT(kernels.library, testing::StartsWith("OpenBLAS 0."));
  EXPECT_FALSE(kernels.live.empty());
  EXPECT_FALSE(kernels.how.empty());
}

}  // namespace
}  // namespace bptt::linalg
