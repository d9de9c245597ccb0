#include "reports/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace bptt::report {
namespace {

/// The probability of k heads in n throws of a coin. By logarithms: 2^-n underflows for the
/// thousands of steps of a training.
double coin(std::size_t n, std::size_t k) {
  const auto log_factorial = [](std::size_t m) { return std::lgamma(static_cast<double>(m) + 1); };
  return std::exp(log_factorial(n) - log_factorial(k) - log_factorial(n - k) -
                  static_cast<double>(n) * std::numbers::ln2);
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double median_without(const std::vector<double>& sorted, double value) {
  if (sorted.size() < 2) return value;
  const auto skipped = static_cast<std::size_t>(
      std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
  const auto at = [&](std::size_t i) { return sorted[i < skipped ? i : i + 1]; };
  const std::size_t n = sorted.size() - 1;
  return n % 2 == 1 ? at(n / 2) : (at(n / 2 - 1) + at(n / 2)) / 2;
}

double median_absolute_deviation(const std::vector<double>& values, double center) {
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double value : values) distances.push_back(std::abs(value - center));
  return median(std::move(distances));
}

Interval median_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  // Cutting off one more value at each end costs the probability that the median lies out there.
  double outside = coin(n, 0);
  std::size_t cut = 0;
  while (2 * (cut + 1) < n) {
    const double next = outside + coin(n, cut + 1);
    if (1 - 2 * next < wanted_coverage) break;
    outside = next;
    ++cut;
  }
  return {values[cut], values[n - 1 - cut], 1 - 2 * outside};
}

double ratio_of(const RatioData& data) {
  if (!data.paired) return median(data.numerator) / median(data.denominator);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < data.numerator.size(); ++i) {
    ratios.push_back(data.numerator[i] / data.denominator[i]);
  }
  return median(std::move(ratios));
}

namespace {

/// As many values, each any of them; of paired lists, the same rounds.
RatioData drawn(const RatioData& data, std::mt19937_64& random) {
  RatioData draw = data;
  for (std::size_t i = 0; i < data.numerator.size(); ++i) {
    // The library's own distributions differ from one implementation to the next.
    const std::size_t k = random() % data.numerator.size();
    draw.numerator[i] = data.numerator[k];
    if (data.paired) draw.denominator[i] = data.denominator[k];
  }
  for (std::size_t i = 0; !data.paired && i < data.denominator.size(); ++i) {
    draw.denominator[i] = data.denominator[random() % data.denominator.size()];
  }
  return draw;
}

double mean_of(const std::vector<RatioData>& cases, std::mt19937_64* random) {
  double sum = 0;
  for (const RatioData& data : cases) {
    sum += std::log(ratio_of(random == nullptr ? data : drawn(data, *random)));
  }
  return std::exp(sum / static_cast<double>(cases.size()));
}

}  // namespace

GeometricMean geometric_mean(const std::vector<RatioData>& cases) {
  constexpr std::size_t draws = 2000, outside = draws / 40;
  GeometricMean mean{mean_of(cases, nullptr), 0, std::numeric_limits<double>::infinity(),
                     cases.size(), cases.front().rounds()};
  for (const RatioData& data : cases) mean.rounds = std::min(mean.rounds, data.rounds());
  if (!mean.has_interval()) return mean;
  std::mt19937_64 random(20240607);
  std::vector<double> means;
  for (std::size_t i = 0; i < draws; ++i) means.push_back(mean_of(cases, &random));
  std::sort(means.begin(), means.end());
  mean.low = means[outside];
  mean.high = means[draws - 1 - outside];
  return mean;
}

}  // namespace bptt::report
