#include "verify/direction_slopes.hpp"

#include <algorithm>

namespace bptt::verify {
namespace {

// The last row of a table of three weighs its smallest step by 64/45, and the others next to
// nothing.
constexpr int levels = 3;
constexpr double weight_of_last = 1.5;

/// A sum over rows, or one row's own.
long double of_group(const Part& part, const std::vector<long double>& rows, std::size_t group) {
  if (part.by_row) return rows[group];
  long double sum = 0;
  for (const long double row : rows) sum += row;
  return sum;
}
/// The same of errors, which are independent.
long double error_of_group(const Part& part, const std::vector<long double>& rows,
                           std::size_t group) {
  if (part.by_row) return rows[group];
  long double sum = 0;
  for (const long double row : rows) sum += row * row;
  return std::sqrt(sum);
}

}  // namespace

DirectionSlopes::DirectionSlopes(net::Model<double>& model, const Reference<float>& reference)
    : reference_(reference), forward_(model, reference) {
  for (std::size_t l = 0; l < loss_count; ++l) results_[l] = run(model, forward_.lit(l));
}

std::vector<SlopePerLoss> DirectionSlopes::of(const Part& part) {
  const auto known = steps_.find(part.tensor);
  if (known == steps_.end()) steps_[part.tensor] = step_for(part);
  double step = steps_[part.tensor];
  std::vector<SlopePerLoss> best = at(part, step);
  const auto is_good = [](const SlopePerLoss& slopes) {
    return std::all_of(slopes.begin(), slopes.end(),
                       [](const Slope& slope) { return slope.conclusive(); });
  };
  // Where one row bends more than the others.
  constexpr int tries = 2;
  for (int i = 0; i < tries && !std::all_of(best.begin(), best.end(), is_good); ++i) {
    step /= 8;
    const auto again = at(part, step);
    for (std::size_t group = 0; group < best.size(); ++group) {
      for (std::size_t l = 0; l < loss_count; ++l) {
        if (again[group][l].unit < best[group][l].unit) best[group][l] = again[group][l];
      }
    }
  }
  return best;
}

double DirectionSlopes::step_for(const Part& part) {
  constexpr double trial = 0x1p-10, longest = 0x1p-2, shortest = 0x1p-22;
  const PerRow at_h = forward_.difference(part, trial);
  const PerRow at_half = forward_.difference(part, trial / 2);
  long double slope = 0, bend = 0, rounding = 0;
  for (std::size_t group = 0; group < part.directions.size(); ++group) {
    const long double a = of_group(part, at_h[0], group), b = of_group(part, at_half[0], group);
    const long double r = error_of_group(part, forward_.rounding()[0], group);
    slope += b * b;
    bend += (a - b) * (a - b);
    rounding += r * r;
  }
  slope = std::sqrt(slope);
  rounding = std::sqrt(rounding);
  const long double rho =
      bending_length(slope + std::sqrt(bend), slope, trial, 4 * rounding / trial, longest);
  const long double step = std::max<long double>(best_step(slope, rho, rounding, levels), shortest);
  return static_cast<double>(std::exp2(std::floor(std::log2(step))));
}

std::vector<SlopePerLoss> DirectionSlopes::at(const Part& part, double step) {
  std::array<PerRow, levels> table;
  double h = step;
  for (PerRow& differences : table) {
    differences = forward_.difference(part, h);
    h /= 2;
  }
  const double smallest = 2 * h;
  std::vector<SlopePerLoss> slopes(part.directions.size());
  const std::size_t i = result_index(reference_.layouts, part.directions.front().tensor);
  std::vector<double> rounding(slopes.size());
  for (std::size_t k = 0; k < part.elements.size(); ++k) {
    const auto e = static_cast<std::size_t>(part.elements[k]);
    const auto group = static_cast<std::size_t>(part.group[k]);
    rounding[group] += reference_.unit[i][e] * reference_.unit[i][e];
    for (std::size_t l = 0; l < loss_count; ++l) {
      const double gradient = results_[l][i][e];
      slopes[group][l].analytic += gradient * part.signs[k];
      slopes[group][l].signal += gradient * gradient;
    }
  }
  for (std::size_t group = 0; group < slopes.size(); ++group) {
    for (std::size_t l = 0; l < loss_count; ++l) {
      Slope& slope = slopes[group][l];
      std::array<long double, levels> column;
      for (int level = 0; level < levels; ++level) {
        column[static_cast<std::size_t>(level)] =
            of_group(part, table[static_cast<std::size_t>(level)][l], group);
      }
      slope.difference = extrapolate(column);
      const auto noise = static_cast<double>(
          weight_of_last * error_of_group(part, forward_.rounding()[l], group) / smallest);
      slope.unit =
          std::max({slope.difference.error, noise, std::sqrt(rounding[group]) * f64_of_f32});
      slope.signal = std::max(std::sqrt(slope.signal), std::abs(slope.difference.value));
    }
  }
  return slopes;
}

}  // namespace bptt::verify
