#include "verify/flow/norms.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "impls/net/random.hpp"

namespace bptt::verify::flow {
namespace {

constexpr double ulps = 1e-14;

double sigma(const std::vector<double>& values, Index rows, Index columns) {
  return largest_singular_value({values.data(), {rows, columns}});
}
double radius(const std::vector<double>& values, Index n) {
  return spectral_radius({values.data(), {n, n}});
}

TEST(LargestSingularValue, OfMatricesThatAreKnown) {
  EXPECT_NEAR(sigma({3, 0, 4, 5}, 2, 2), std::sqrt(45.0), ulps * 10);
  EXPECT_NEAR(sigma({1, 2, 3}, 3, 1), std::sqrt(14.0), ulps);
  EXPECT_NEAR(sigma({1, 2, 3}, 1, 3), std::sqrt(14.0), ulps);
  EXPECT_EQ(sigma({-2, 0, 0, 1}, 2, 2), 2);
  EXPECT_EQ(sigma({0, 0, 0, 0}, 2, 2), 0);
}

TEST(LargestSingularValue, StaysANumberNearTheEndsOfTheRange) {
  EXPECT_NEAR(sigma({3e200, 0, 4e200, 5e200}, 2, 2) / 1e200, std::sqrt(45.0), 10 * ulps);
  EXPECT_NEAR(sigma({3e-200, 0, 4e-200, 5e-200}, 2, 2) / 1e-200, std::sqrt(45.0), 10 * ulps);
}

/// |A v| / |v| never exceeds it, and comes near it.
TEST(LargestSingularValue, IsTheLargestStretch) {
  constexpr Index n = 7;
  net::Random random(1);
  std::vector<double> a(n * n);
  for (double& value : a) value = random.normal();
  std::vector<double> v(n, 1), w(n);
  double stretch = 0;
  for (int i = 0; i < 3000; ++i) {  // power iteration on A^T A
    std::fill(w.begin(), w.end(), 0);
    for (Index r = 0; r < n; ++r) {
      for (Index c = 0; c < n; ++c) w[r] += a[r * n + c] * v[c];
    }
    double squares = 0;
    for (const double value : w) squares += value * value;
    stretch = std::sqrt(squares);
    std::fill(v.begin(), v.end(), 0);
    for (Index r = 0; r < n; ++r) {
      for (Index c = 0; c < n; ++c) v[c] += a[r * n + c] * w[r];
    }
    double length = 0;
    for (const double value : v) length += value * value;
    for (double& value : v) value /= std::sqrt(length);
  }
  EXPECT_NEAR(sigma(a, n, n) / stretch, 1, 10 * ulps);
}

TEST(SpectralRadius, OfMatricesThatAreKnown) {
  EXPECT_NEAR(radius({2, 0, 0, -3}, 2), 3, 10 * ulps);
  EXPECT_NEAR(radius({0, -0.5, 0.5, 0}, 2), 0.5, ulps) << "a complex pair";
  EXPECT_EQ(radius({0, 1, 0, 0}, 2), 0) << "nilpotent";
  EXPECT_NEAR(radius({1, 1000, 0, 1}, 2), 1, 100 * ulps) << "far from normal";
  EXPECT_EQ(radius({-4}, 1), 4);
}

TEST(SpectralRadius, IsThatOfTheSimilarMatrix) {
  // S diag(0.9, -0.3, 0.5) S^-1 for S with ones on and above the diagonal.
  EXPECT_NEAR(radius({0.9, -1.2, 0.8, 0, -0.3, 0.8, 0, 0, 0.5}, 3), 0.9, 10 * ulps);
}

TEST(Norms, OfWhatIsNotFiniteAreNotANumber) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(sigma({1, inf, 0, 1}, 2, 2)));
  EXPECT_TRUE(std::isnan(radius({1, std::nan(""), 0, 1}, 2)));
}

}  // namespace
}  // namespace bptt::verify::flow
