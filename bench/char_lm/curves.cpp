#include "bench/char_lm/curves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bptt::bench {
namespace {

constexpr double unit(Dtype dtype) {
  return dtype == Dtype::f32 ? std::numeric_limits<float>::epsilon()
                             : std::numeric_limits<double>::epsilon();
}

double distance_over_allowed(const Curve& curve, std::size_t step, Dtype dtype,
                             const CurveBound& bound) {
  const double distance = std::abs(curve[step] - bound.exact(step));
  return std::isfinite(distance) ? distance / bound.allowed(step, dtype)
                                 : std::numeric_limits<double>::infinity();
}

}  // namespace

CurveBound::CurveBound(Curve exact, const Curve& rounded_to_f32) : exact_(std::move(exact)) {
  double largest = 0;
  // From a distance that is not finite on, all are infinite.
  for (std::size_t step = 0; step < std::min(exact_.size(), rounded_to_f32.size()); ++step) {
    const double distance = std::abs(rounded_to_f32[step] - exact_[step]);
    largest = std::isfinite(distance) ? std::max(largest, distance)
                                      : std::numeric_limits<double>::infinity();
    largest_distance_.push_back(largest);
  }
}

std::size_t CurveBound::comparable_steps() const {
  std::size_t step = 0;
  while (step < steps() && largest_distance_[step] <= chaos * std::abs(exact_[step]) &&
         std::isfinite(exact_[step])) {
    ++step;
  }
  return step;
}

bool CurveBound::diverged() const {
  const std::size_t end = comparable_steps();
  return end < steps() && !std::isfinite(largest_distance_[end]);
}

double CurveBound::allowed(std::size_t step, Dtype dtype) const {
  const double in_f32 =
      factor * largest_distance_[step] + floor * unit(Dtype::f32) * std::abs(exact_[step]);
  return in_f32 * (unit(dtype) / unit(Dtype::f32));
}

double worst_distance(const Curve& curve, Dtype dtype, const CurveBound& bound) {
  double worst = 0;
  for (std::size_t step = 0; step < std::min(curve.size(), bound.comparable_steps()); ++step) {
    worst = std::max(worst, distance_over_allowed(curve, step, dtype, bound));
  }
  return worst;
}

std::optional<Disagreement> first_disagreement(const Curve& curve, Dtype dtype,
                                               const CurveBound& bound) {
  for (std::size_t step = 0; step < std::min(curve.size(), bound.comparable_steps()); ++step) {
    if (distance_over_allowed(curve, step, dtype, bound) <= 1) continue;
    return Disagreement{step, curve[step], bound.exact(step), bound.allowed(step, dtype)};
  }
  return std::nullopt;
}

Fall fall_of(const Curve& curve) {
  const auto tenth = static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, curve.size() / 10));
  const auto mean = [&](auto begin) {
    return std::accumulate(begin, begin + tenth, 0.0) / static_cast<double>(tenth);
  };
  return {mean(curve.begin()), mean(curve.end() - tenth), static_cast<Index>(curve.size())};
}

}  // namespace bptt::bench
