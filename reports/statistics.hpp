// Order statistics of repeated measurements. Nothing here assumes a distribution: times on a shared
// machine are skewed and have outliers, for which means and standard deviations are no description.
#pragma once

#include <cstddef>
#include <vector>

namespace bptt::report {

/// Of at least one value.
double median(std::vector<double> values);

/// The median of the distances from `center`.
double median_absolute_deviation(const std::vector<double>& values, double center);

/// Where the median of the population lies with probability `coverage`.
struct Interval {
  double low = 0, high = 0;
  double coverage = 0;
  bool contains(double value) const { return low <= value && value <= high; }
};

/// 15/16, the most that five values can give: the range of n values covers the median with
/// probability 1 - 2^(1-n). Close to the customary 95 %, and five repetitions are enough for it.
inline constexpr double wanted_coverage = 0.9375;

/// The narrowest pair of order statistics that covers the median with `wanted_coverage` (the
/// sign-test interval). Fewer than five values cannot: then their range, with its own coverage.
Interval median_interval(std::vector<double> values);

/// Times of two that are compared, the ratio of whose medians is asked for. Paired: the i-th of
/// both come from one round, and the median of their ratios stands for it.
struct RatioData {
  std::vector<double> numerator, denominator;  ///< at least one each; as many where paired
  bool paired = true;
};

/// The geometric mean of ratios over cases, and where it lies with 95 % probability by how much the
/// rounds scatter: a bootstrap that draws the rounds of each case anew, 2000 times, from a fixed
/// seed. It is about these cases; other cases may have another mean.
struct GeometricMean {
  double value = 0, low = 0, high = 0;
  std::size_t cases = 0;
};
/// Of at least one case.
GeometricMean geometric_mean(const std::vector<RatioData>&);

}  // namespace bptt::report
