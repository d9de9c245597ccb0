#include "verify/differences.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bptt::verify {

Estimate extrapolate(std::span<const long double> differences) {
  // One column of the table at a time: entry i stands for the steps i-k..i.
  std::vector<long double> column(differences.begin(), differences.end());
  const std::size_t levels = column.size();
  long double left = column.back(), above_left = column.back(), factor = 4;
  for (std::size_t k = 1; k < levels; ++k, factor *= 4) {
    left = column[levels - 1];
    above_left = column[levels - 2];
    for (std::size_t i = levels - 1; i >= k; --i) {
      column[i] = (factor * column[i] - column[i - 1]) / (factor - 1);
    }
  }
  const long double last = column.back();
  const long double spread = std::max(std::abs(last - left), std::abs(last - above_left));
  return {static_cast<double>(last), static_cast<double>(spread)};
}

long double bending_length(long double at_h, long double at_half, long double h, long double noise,
                           long double longest) {
  const long double bend = std::abs(at_h - at_half);
  if (!(bend > noise)) return longest;
  // D(h) = L' + (L'''/6) h^2, so D(h) - D(h/2) = (L'''/6) 3/4 h^2.
  const long double third = bend / (0.75L * h * h);
  return std::min(longest, std::sqrt(std::abs(at_half) / third));
}

long double best_step(long double slope, long double rho, long double rounding, int m) {
  const auto order = static_cast<long double>(2 * m);
  const long double ratio =
      rounding / (std::abs(slope) * rho) * std::exp2(static_cast<long double>(m * m - 1)) / order;
  if (!(ratio < 1)) return rho;
  return std::min(rho, rho * std::pow(ratio, 1 / (order + 1)));
}

}  // namespace bptt::verify
