// Accuracy of the vectorised activations, at every position of a vector and of its tail. The
// equations around them are tested through the backends.
#include "impls/cell/pointwise.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace bptt::cell {
namespace {

template <Real T>
std::vector<T> activated(Activation phi, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  kernels<T>().rnn_forward(phi, {static_cast<Index>(x.size()), x.data(), y.data()});
  return y;
}

template <Real T>
std::vector<T> slopes(Activation phi, const std::vector<T>& h) {
  std::vector<T> d(h.size()), one(h.size(), T(1));
  kernels<T>().rnn_backward(phi, {static_cast<Index>(h.size()), one.data(), h.data(), d.data()});
  return d;
}

long double exact(Activation phi, long double x) {
  switch (phi) {
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
    case Activation::relu:
      return x < 0 ? 0 : x;
    case Activation::leaky_relu:
      return x < 0 ? static_cast<long double>(0.01) * x : x;
    case Activation::identity:
      return x;
  }
  return x;
}

/// Largest error in units in the last place of the exact value.
template <Real T>
double worst_ulp(Activation phi, const std::vector<T>& x) {
  const auto y = activated(phi, x);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double want = exact(phi, x[i]);
    const T rounded = static_cast<T>(want);
    // Below the normal range a unit in the last place says little about a float function.
    if (std::fabs(rounded) < std::numeric_limits<T>::min()) continue;
    const T ulp =
        std::nextafter(std::fabs(rounded), std::numeric_limits<T>::infinity()) - std::fabs(rounded);
    worst = std::max(worst,
                     static_cast<double>(std::fabs(static_cast<long double>(y[i]) - want) / ulp));
  }
  return worst;
}

std::vector<float> floats() {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4099) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isfinite(value) && std::fabs(value) < 1e30F) x.push_back(value);
  }
  return x;
}

std::vector<double> doubles() {
  std::vector<double> x;
  for (double scale = 1e-12; scale < 1e3; scale *= 1.0007) {
    x.push_back(scale);
    x.push_back(-scale * 1.00037);
  }
  return x;
}

// The limits are what was measured over the values above, rounded up.
TEST(Activations, AreAccurate) {
  EXPECT_LE(worst_ulp(Activation::tanh, floats()), 2.0);
  EXPECT_LE(worst_ulp(Activation::sigmoid, floats()), 2.0);
  EXPECT_LE(worst_ulp(Activation::tanh, doubles()), 2.0);
  EXPECT_LE(worst_ulp(Activation::sigmoid, doubles()), 2.0);
  for (const auto phi : {Activation::relu, Activation::leaky_relu, Activation::identity}) {
    EXPECT_LE(worst_ulp(phi, floats()), 1.0);
    EXPECT_LE(worst_ulp(phi, doubles()), 1.0);
  }
}

template <class T>
class OfType : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(OfType, Types);

TYPED_TEST(OfType, SaturateAndLetNaNThrough) {
  using T = TypeParam;
  constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  // Long enough that the values stand in whole vectors and in the tail.
  for (std::size_t position = 0; position < 35; ++position) {
    const auto at = [&](Activation phi, T value) {
      std::vector<T> x(35, T(0.25));
      x[position] = value;
      return activated(phi, x)[position];
    };
    EXPECT_EQ(at(Activation::tanh, inf), T(1));
    EXPECT_EQ(at(Activation::tanh, -inf), T(-1));
    EXPECT_EQ(at(Activation::tanh, T(0)), T(0));
    EXPECT_EQ(at(Activation::sigmoid, inf), T(1));
    EXPECT_EQ(at(Activation::sigmoid, -inf), T(0));
    EXPECT_EQ(at(Activation::sigmoid, T(0)), T(0.5));
    EXPECT_EQ(at(Activation::relu, inf), inf);
    EXPECT_EQ(at(Activation::relu, -inf), T(0));
    for (const auto phi : {Activation::tanh, Activation::relu, Activation::sigmoid,
                           Activation::leaky_relu, Activation::identity}) {
      EXPECT_TRUE(std::isnan(at(phi, nan))) << static_cast<int>(phi);
    }
  }
}

TYPED_TEST(OfType, SlopesAtTheKinkAreThoseOfTheNegativeSide) {
  using T = TypeParam;
  const std::vector<T> h = {T(-2), T(0), T(3)};
  EXPECT_EQ(slopes(Activation::relu, h), (std::vector<T>{T(0), T(0), T(1)}));
  EXPECT_EQ(slopes(Activation::leaky_relu, h), (std::vector<T>{T(0.01), T(0.01), T(1)}));
  EXPECT_EQ(slopes(Activation::identity, h), (std::vector<T>{T(1), T(1), T(1)}));
}

}  // namespace
}  // namespace bptt::cell
