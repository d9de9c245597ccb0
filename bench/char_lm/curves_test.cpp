#include "bench/char_lm/curves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

/// By the third step rounding to f32 has done 1e-3; by the first, nothing.
const Curve exact = {4, 3, 2, 1}, rounded = {4, 3.001, 2.0001, 1};
const CurveBound bound(exact, rounded);
constexpr double unit = std::numeric_limits<float>::epsilon();

TEST(Curves, AreAllowedATenfoldOfTheReferencesOwnError) {
  EXPECT_DOUBLE_EQ(bound.allowed(0, Dtype::f32), CurveBound::floor * unit * 4);
  EXPECT_NEAR(bound.allowed(1, Dtype::f32), 0.01, 2e-5);
  // The largest so far counts: at step 2 the two came together again by chance.
  EXPECT_NEAR(bound.allowed(2, Dtype::f32), 0.01, 2e-5);
  EXPECT_EQ(first_disagreement({4, 3.009, 1.991, 1.009}, Dtype::f32, bound), std::nullopt);
  EXPECT_LT(worst_distance({4, 3.009, 1.991, 1.009}, Dtype::f32, bound), 1);
}

TEST(Curves, TheFirstStepThatIsTooFarAwayIsNamed) {
  const auto off = first_disagreement({4, 3, 2.02, 5}, Dtype::f32, bound);
  ASSERT_TRUE(off);
  EXPECT_EQ(off->step, 2u);
  EXPECT_EQ(off->loss, 2.02);
  EXPECT_EQ(off->expected, 2);
  EXPECT_GT(worst_distance({4, 3, 2.02, 5}, Dtype::f32, bound), 300);
}

TEST(Curves, TheBoundShrinksWithThePrecision) {
  EXPECT_NEAR(bound.allowed(1, Dtype::f64), 0.01 * 0x1p-29, 1e-13);
  EXPECT_TRUE(first_disagreement({4, 3.009, 2, 1}, Dtype::f64, bound));
}

TEST(Curves, WhatIsNotFiniteNeverAgrees) {
  for (const double loss : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_TRUE(first_disagreement({4, loss}, Dtype::f32, bound));
    EXPECT_EQ(worst_distance({4, loss}, Dtype::f32, bound),
              std::numeric_limits<double>::infinity());
  }
}

TEST(Curves, AReferenceThatIsNotFiniteJudgesNobodyFromThereOn) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const Curve finite = {4, 3, 2};
  for (const double odd : {nan, -nan, inf}) {
    const Curve broken = {4, odd, 2};
    for (const CurveBound& diverged :
         {CurveBound(broken, finite), CurveBound(finite, broken), CurveBound(broken, broken)}) {
      EXPECT_TRUE(diverged.diverged());
      EXPECT_EQ(diverged.comparable_steps(), 1u);
      EXPECT_EQ(first_disagreement({4, 3, 2}, Dtype::f32, diverged), std::nullopt);
      EXPECT_EQ(first_disagreement({4, odd, odd}, Dtype::f64, diverged), std::nullopt);
      // Where the reference still was finite, whoever is not is wrong.
      EXPECT_TRUE(first_disagreement({odd, odd, odd}, Dtype::f32, diverged));
    }
  }
  EXPECT_FALSE(bound.diverged());
}

TEST(Curves, ChaosEndsTheComparison) {
  const CurveBound chaotic({4, 3, 2, 1}, {4, 3.01, 2.03, 1});
  EXPECT_EQ(bound.comparable_steps(), 4u);
  EXPECT_EQ(chaotic.comparable_steps(), 2u);
  EXPECT_FALSE(chaotic.diverged());
  EXPECT_EQ(first_disagreement({4, 3, 7, 7}, Dtype::f32, chaotic), std::nullopt);
  EXPECT_TRUE(first_disagreement({4, 7, 7, 7}, Dtype::f32, chaotic));
}

TEST(Curves, FallComparesTheFirstAndTheLastTenth) {
  Curve curve(100, 3.0);
  std::fill_n(curve.begin(), 10, 4.0);
  EXPECT_EQ(fall_of(curve).first, 4);
  EXPECT_EQ(fall_of(curve).last, 3);
  EXPECT_TRUE(fall_of(curve).fell());
  EXPECT_FALSE(fall_of(Curve(100, 3.0)).fell());
  EXPECT_FALSE(fall_of({4, 3.9, 3.8, std::nan("")}).fell());
}

TEST(Curves, FromEnoughStepsOnATenthMustBeLost) {
  Curve curve(100, 4.0);
  curve.back() = 3.9;
  EXPECT_FALSE(fall_of(curve).fell());
  EXPECT_TRUE(fall_of({4, 3.9}).fell());
  EXPECT_FALSE(fall_of({4}).fell());
}

}  // namespace
}  // namespace bptt::bench
