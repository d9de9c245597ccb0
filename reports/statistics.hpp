// Order statistics of repeated measurements. Nothing here assumes a distribution: times on a shared
// machine are skewed and have outliers, for which means and standard deviations are no description.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bptt::report {

/// Of at least one value.
double median(std::vector<double> values);

/// The median of `sorted` but for one element with this value; of the value itself where there is
/// no other element.
double median_without(const std::vector<double>& sorted, double value);

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
inline constexpr std::size_t rounds_for_interval = 5;

/// The narrowest pair of order statistics that covers the median with `wanted_coverage` (the
/// sign-test interval). Fewer than five values cannot: then their range, with its own coverage.
Interval median_interval(std::vector<double> values);

/// Times of two that are compared, the ratio of whose medians is asked for. Paired: the i-th of
/// both come from one round, and the median of their ratios stands for it.
struct RatioData {
  std::vector<double> numerator, denominator;  ///< at least one each; as many where paired
  bool paired = true;
  /// Of the one that has fewer.
  std::size_t rounds() const { return std::min(numerator.size(), denominator.size()); }
};

/// The ratio that the data stand for.
double ratio_of(const RatioData&);

/// The geometric mean of ratios over cases, and where it lies with 95 % probability by how much the
/// rounds scatter: a bootstrap that draws the rounds of each case anew, 2000 times, from a fixed
/// seed. It is about these cases; other cases may have another mean. Drawn from a handful of
/// rounds, or from one, a case would scatter less than it does: with fewer than rounds_for_interval
/// in any case nothing is known but the value, and the interval is everything.
struct GeometricMean {
  double value = 0, low = 0, high = 0;
  std::size_t cases = 0;
  std::size_t rounds = 0;  ///< of the case that has the fewest
  bool has_interval() const { return rounds >= rounds_for_interval; }
};
/// Of at least one case.
GeometricMean geometric_mean(const std::vector<RatioData>&);

}  // namespace bptt::report
