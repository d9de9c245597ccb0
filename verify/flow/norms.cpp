#include "verify/flow/norms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bptt::verify::flow {
namespace {

bool all_finite(const View<const double>& a) {
  return std::all_of(a.begin(), a.end(), [](double value) { return std::isfinite(value); });
}

double largest_magnitude(const double* values, Index n) {
  double most = 0;
  for (Index k = 0; k < n; ++k) most = std::max(most, std::abs(values[k]));
  return most;
}

double dot(const double* u, const double* v, Index n) {
  double sum = 0;
  for (Index k = 0; k < n; ++k) sum += u[k] * v[k];
  return sum;
}

/// Turns rows u and v so that they become orthogonal; false where they already are.
bool rotate(double* u, double* v, Index n) {
  const double uu = dot(u, u, n), vv = dot(v, v, n), uv = dot(u, v, n);
  constexpr double negligible = 4 * std::numeric_limits<double>::epsilon();
  if (std::abs(uv) <= negligible * std::sqrt(uu * vv)) return false;
  const double zeta = (vv - uu) / (2 * uv);
  const double tangent = std::copysign(1 / (std::abs(zeta) + std::hypot(1, zeta)), zeta);
  const double cosine = 1 / std::hypot(1, tangent), sine = cosine * tangent;
  for (Index k = 0; k < n; ++k) {
    const double a = u[k], b = v[k];
    u[k] = cosine * a - sine * b;
    v[k] = sine * a + cosine * b;
  }
  return true;
}

}  // namespace

double largest_singular_value(const View<const double>& matrix) {
  if (!all_finite(matrix)) return std::numeric_limits<double>::quiet_NaN();
  const Index rows = matrix.extents()[0], n = matrix.extents()[1];
  std::vector<double> a(matrix.begin(), matrix.end());
  // Squares of elements near the ends of the range would leave it.
  const double scale = largest_magnitude(a.data(), matrix.size());
  if (scale == 0) return 0;
  for (double& value : a) value /= scale;
  constexpr int most_sweeps = 60;  // some ten are enough
  bool turned = true;
  for (int sweep = 0; turned && sweep < most_sweeps; ++sweep) {
    turned = false;
    for (Index i = 0; i < rows; ++i) {
      for (Index j = i + 1; j < rows; ++j) {
        if (rotate(a.data() + i * n, a.data() + j * n, n)) turned = true;
      }
    }
  }
  double most = 0;
  for (Index i = 0; i < rows; ++i) {
    most = std::max(most, std::sqrt(dot(a.data() + i * n, a.data() + i * n, n)));
  }
  return scale * most;
}

double spectral_radius(const View<const double>& matrix) {
  if (!all_finite(matrix)) return std::numeric_limits<double>::quiet_NaN();
  const Index n = matrix.extents()[0];
  std::vector<double> a(matrix.begin(), matrix.end()), square(a.size());
  constexpr int squarings = 48;
  // A^(2^k) = e^logarithm * a, with the largest element of a 1: nothing leaves the range.
  double logarithm = 0;
  for (int k = 0;; ++k) {
    const double scale = largest_magnitude(a.data(), n * n);
    if (scale == 0) return 0;
    for (double& value : a) value /= scale;
    logarithm += std::log(scale);
    if (k == squarings) break;
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < n; ++j) {
        double sum = 0;
        for (Index m = 0; m < n; ++m) sum += a[i * n + m] * a[m * n + j];
        square[i * n + j] = sum;
      }
    }
    a.swap(square);
    logarithm *= 2;
  }
  return std::exp(std::ldexp(logarithm, -squarings));
}

}  // namespace bptt::verify::flow
