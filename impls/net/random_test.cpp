// The generator: its published sequence, independence of streams, and moments.
#include "impls/net/random.hpp"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace bptt::net {
namespace {

TEST(Random, IsXoshiroWithItsStateFromSplitMix) {
  // The reference code of both generators, compiled apart, gives these for the seed 0.
  Random random(0);
  EXPECT_EQ(random.bits(), 0x53175d61490b23dfu);
  EXPECT_EQ(random.bits(), 0x61da6f3dc380d507u);
  EXPECT_EQ(random.bits(), 0x5c0fdf91ec9a7bfcu);
}

TEST(Random, SeedsAndStreamsDiffer) {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t stream = 0; stream < 20; ++stream) first.insert(Random(seed, stream).bits());
  }
  EXPECT_EQ(first.size(), 400u);
  EXPECT_EQ(Random(3, 4).bits(), Random(3, 4).bits());
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  constexpr int count = 100000;
  Random random(5);
  double uniform = 0, normal = 0, squares = 0, fourth = 0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    uniform += u;
    const double z = random.normal();
    normal += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  const double n = count, error = 5 / std::sqrt(n);
  EXPECT_NEAR(uniform / n, 0.5, error / std::sqrt(12.0));
  EXPECT_NEAR(normal / n, 0, error);
  EXPECT_NEAR(squares / n, 1, error * std::sqrt(2.0));
  EXPECT_NEAR(fourth / n, 3, error * std::sqrt(96.0));
}

TEST(Random, BelowReachesEveryValue) {
  Random random(1);
  int counts[5] = {};
  for (int i = 0; i < 5000; ++i) ++counts[random.below(5)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(800.0));
}

}  // namespace
}  // namespace bptt::net
