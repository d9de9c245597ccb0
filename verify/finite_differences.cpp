#include "verify/finite_differences.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace bptt::verify {
namespace {

/// Of the terms that the loss sums, as far as they are known: a loss from targets sums what is not
/// negative.
long double loss_magnitude(const net::Model<long double>& model, const Given& given) {
  long double sum = 0;
  for_each_term(model, given,
                [&](double upstream, long double output) { sum += std::abs(upstream * output); });
  return sum > 0 ? sum : std::abs(model.loss());
}

}  // namespace

FiniteDifferences::FiniteDifferences(const Subject& subject, const Given& given)
    : given_(given), model_(subject.make<long double>(naive_plans<long double>())) {
  set_given(given, *model_);
}

void FiniteDifferences::choose_step(const View<long double>& tensor) {
  constexpr long double trial = 0x1p-8L;
  constexpr Index probes = 3;
  long double slope = 0, rho = largest_step;
  for (Index i = 0; i < probes; ++i) {
    long double& element = tensor[i * (tensor.size() - 1) / (probes - 1)];
    if (element != element) continue;  // padding
    const long double at_h = difference(element, trial);
    const long double at_half = difference(element, trial / 2);
    slope = std::max(slope, std::abs(at_half));
    rho = std::min(rho, bending_length(at_h, at_half, trial, 4 * rounding() / trial, largest_step));
  }
  const long double step = slope > 0 ? best_step(slope, rho, rounding(), levels) : largest_step;
  // A power of two moves an element of few digits without rounding.
  step_ = std::exp2(std::floor(std::log2(std::max(step, smallest_step))));
}

Estimate FiniteDifferences::operator()(long double& element, double wanted) {
  Estimate best{0, std::numeric_limits<double>::infinity()};
  for (long double h = step_; h >= smallest_step; h /= 8) {
    const Estimate estimate = at(element, h);
    if (estimate.error < best.error) best = estimate;
    // Of a smaller step, the rounding alone is as much.
    if (best.error <= wanted || best.error <= rounding_of_table(h / 8)) break;
  }
  return best;
}

long double FiniteDifferences::rounding() const {
  constexpr long double roundings = 16;
  return roundings * std::numeric_limits<long double>::epsilon() * loss_magnitude(*model_, given_) /
         2;
}

long double FiniteDifferences::difference(long double& element, long double h) {
  const long double kept = element;
  element = kept + h;
  model_->forward();
  const long double above = model_->loss();
  element = kept - h;
  model_->forward();
  const long double below = model_->loss();
  element = kept;
  return (above - below) / (2 * h);
}

Estimate FiniteDifferences::at(long double& element, long double h) {
  const long double first = h;
  std::array<long double, levels> table;
  for (long double& entry : table) {
    entry = difference(element, h);
    h /= 2;
  }
  Estimate estimate = extrapolate(table);
  // The columns of the table may agree by luck; the rounding of the smallest step's losses stays.
  estimate.error += rounding_of_table(first);
  return estimate;
}

double FiniteDifferences::rounding_of_table(long double h) const {
  return static_cast<double>(rounding() * std::exp2(static_cast<long double>(levels - 1)) / h);
}

}  // namespace bptt::verify
