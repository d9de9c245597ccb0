#include "bench/statistics.hpp"

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

TEST(Statistics, Median) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 4}), 4);
  EXPECT_EQ(median({9, 1, 4, 2}), 3);
}

TEST(Statistics, NoiseIsTheMedianDeviationOverTheMedian) {
  // Deviations 3, 0, 96, 1, 2: one outlier does not show.
  EXPECT_EQ(relative_noise({1, 4, 100, 5, 2}), 2.0 / 4);
  EXPECT_EQ(relative_noise({2, 2}), 0);
  EXPECT_EQ(relative_noise({2}), std::nullopt);
}

}  // namespace
}  // namespace bptt::bench
