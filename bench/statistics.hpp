// Medians: what a noisy machine leaves of a series of timings.
#pragma once

#include <optional>
#include <vector>

namespace bptt::bench {

/// Of at least one value; the mean of the two in the middle of an even number.
double median(std::vector<double> values);

/// Median absolute deviation from the median, over the median; nothing for fewer than two values.
std::optional<double> relative_noise(const std::vector<double>& values);

}  // namespace bptt::bench
