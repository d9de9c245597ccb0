#include "bench/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace bptt::bench {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<double> relative_noise(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const double middle = median(values);
  std::vector<double> deviations;
  for (const double value : values) deviations.push_back(std::abs(value - middle));
  return median(deviations) / middle;
}

}  // namespace bptt::bench
