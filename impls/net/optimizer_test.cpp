// Clipping and the step of stochastic gradient descent, by hand.
#include "impls/net/optimizer.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace bptt::net {
namespace {

std::vector<View<double>> views(std::vector<double>& a, std::vector<double>& b) {
  return {View<double>(a.data(), {static_cast<Index>(a.size())}),
          View<double>(b.data(), {1, static_cast<Index>(b.size())})};
}

TEST(Optimizer, ClipsByTheNormOfAllGradientsTogether) {
  std::vector<double> a = {2, 4}, b = {4};
  EXPECT_EQ(clip_by_global_norm<double>(views(a, b), 3), 6);
  EXPECT_EQ(a, (std::vector<double>{1, 2}));
  EXPECT_EQ(b, (std::vector<double>{2}));
}

TEST(Optimizer, LeavesSmallAndBrokenGradientsAlone) {
  std::vector<double> a = {2, 4}, b = {4};
  clip_by_global_norm<double>(views(a, b), 6);
  EXPECT_EQ(a, (std::vector<double>{2, 4}));
  b[0] = std::numeric_limits<double>::infinity();
  clip_by_global_norm<double>(views(a, b), 1);
  EXPECT_EQ(a, (std::vector<double>{2, 4}));
}

TEST(Optimizer, StepsAgainstTheGradient) {
  std::vector<double> a = {1, 2}, b = {3}, da = {10, 20}, db = {-30};
  sgd_step<double>(views(a, b), views(da, db), 0.5);
  EXPECT_EQ(a, (std::vector<double>{-4, -8}));
  EXPECT_EQ(b, (std::vector<double>{18}));
}

TEST(Optimizer, RefusesGradientsThatDoNotPairUp) {
  std::vector<double> a = {1, 2}, b = {3}, c = {1, 2, 3};
  EXPECT_THROW(sgd_step<double>(views(a, b), views(b, a), 1), Error);
  EXPECT_THROW(sgd_step<double>(views(a, b), views(a, c), 1), Error);
  const auto two = views(a, b);
  EXPECT_THROW(sgd_step<double>(two, std::span(two).first(1), 1), Error);
}

}  // namespace
}  // namespace bptt::net
