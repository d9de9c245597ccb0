#include "reports/statistics.hpp"

#include <numbers>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace bptt::report {
namespace {

/// 1, 2, ..., n
std::vector<double> counting(std::size_t n) {
  std::vector<double> values(n);
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(Statistics, MedianOfOddAndEvenCounts) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({5, 1, 100}), 5);
  EXPECT_EQ(median({4, 1, 100, 2}), 3);
}

TEST(Statistics, MedianWithoutOneIsThatOfTheOthers) {
  for (const std::vector<double>& values :
       {std::vector<double>{1, 2}, {1, 2, 4}, {1, 2, 2, 5}, {1, 3, 4, 6, 7}, {2, 2, 2}}) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::vector<double> others = values;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_EQ(median_without(values, values[i]), median(others));
    }
  }
  EXPECT_EQ(median_without({3}, 3), 3);
}

TEST(Statistics, MedianAbsoluteDeviationIgnoresAnOutlier) {
  EXPECT_EQ(median_absolute_deviation({1, 2, 3, 4, 1000}, 3), 1);
}

TEST(Statistics, IntervalsAreThoseOfTheSignTest) {
  // Ranks and coverages as tabulated for the binomial distribution with p = 1/2.
  const auto expect = [](std::size_t n, double low, double high, double coverage) {
    const Interval interval = median_interval(counting(n));
    EXPECT_EQ(interval.low, low) << n;
    EXPECT_EQ(interval.high, high) << n;
    EXPECT_NEAR(interval.coverage, coverage, 1e-9) << n;
  };
  expect(1, 1, 1, 0);
  expect(2, 1, 2, 0.5);
  expect(4, 1, 4, 0.875);
  expect(5, 1, 5, 0.9375);
  expect(8, 1, 8, 1 - 2 / 256.0);
  expect(9, 2, 8, 1 - 2 * 10 / 512.0);
  expect(20, 6, 15, 1 - 2 * 21700 / 1048576.0);
}

TEST(Statistics, IntervalOfThousandsOfValuesIsNarrow) {
  const Interval interval = median_interval(counting(5001));
  EXPECT_GE(interval.coverage, wanted_coverage);
  EXPECT_LT(interval.coverage, 0.95);
  EXPECT_NEAR(interval.low, 2501 - 66, 3);
  EXPECT_NEAR(interval.high, 2501 + 66, 3);
}

TEST(Statistics, IntervalsCoverTheMedianAsOftenAsTheySay) {
  std::mt19937 random(1);
  std::exponential_distribution<double> skewed(1);
  int covered = 0;
  constexpr int trials = 4000;
  double coverage = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> values(9);
    for (double& value : values) value = skewed(random);
    const Interval interval = median_interval(values);
    coverage = interval.coverage;
    covered += interval.contains(std::numbers::ln2) ? 1 : 0;
  }
  EXPECT_NEAR(covered / static_cast<double>(trials), coverage, 0.015);
}

}  // namespace
}  // namespace bptt::report
