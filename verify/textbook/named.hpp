// The quantities of one network under the names that a document gives them ("W_f", "a(3)"), and
// derivatives with respect to all of them by complex step.
#pragma once

#include <cmath>
#include <complex>
#include <map>
#include <stdexcept>
#include <string>

#include "impls/net/random.hpp"
#include "verify/textbook/matrix.hpp"

namespace bptt::verify::textbook {

/// "a(3)"
inline std::string at(const std::string& name, int step) {
  return name + "(" + std::to_string(step) + ")";
}

template <class T>
class Named {
 public:
  const Matrix<T>& operator[](const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::logic_error("textbook: no quantity " + name);
    return found->second;
  }
  /// Made empty where there is none yet.
  Matrix<T>& operator[](const std::string& name) { return values_[name]; }
  bool has(const std::string& name) const { return values_.count(name) != 0; }
  auto begin() { return values_.begin(); }
  auto end() { return values_.end(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::map<std::string, Matrix<T>> values_;
};

using Complex = std::complex<double>;
using Real = Matrix<double>;

inline constexpr double complex_step_size = 1e-30;

inline Named<Complex> to_complex(const Named<double>& values) {
  Named<Complex> result;
  for (const auto& [name, value] : values) {
    Matrix<Complex>& to = result[name] = Matrix<Complex>(value.rows(), value.columns());
    for (std::size_t k = 0; k < value.values().size(); ++k) to.values()[k] = value.values()[k];
  }
  return result;
}

/// The gradient of loss(given), a function for complex numbers, with respect to all that is given.
template <class Loss>
Named<double> complex_step(const Named<double>& given, Loss loss) {
  Named<double> gradient;
  Named<Complex> z = to_complex(given);
  for (auto& [name, value] : z) {
    Real& derivative = gradient[name] = Real(value.rows(), value.columns());
    for (std::size_t k = 0; k < value.values().size(); ++k) {
      Complex& element = value.values()[k];
      const Complex kept = element;
      element += Complex(0, complex_step_size);
      derivative.values()[k] = loss(z).imag() / complex_step_size;
      element = kept;
    }
  }
  return gradient;
}

/// The transposed Jacobian of the column result(given) with respect to the column `name`: element
/// (i,j) is d result_j / d name_i.
template <class Result>
Real complex_step_jacobian(const Named<double>& given, const std::string& name, Result result) {
  Named<Complex> z = to_complex(given);
  Real rows;
  for (Complex& element : z[name].values()) {
    const Complex kept = element;
    element += Complex(0, complex_step_size);
    const Matrix<Complex> nudged = result(z);
    element = kept;
    Real row(1, nudged.rows());
    for (Index j = 0; j < nudged.rows(); ++j) row(0, j) = nudged(j, 0).imag() / complex_step_size;
    rows = stacked(rows, row);
  }
  return rows;
}

/// Frobenius norm.
inline double norm(const Real& a) {
  double squares = 0;
  for (const double value : a.values()) squares += value * value;
  return std::sqrt(squares);
}

/// Uniform in [-spread, spread), around `mean`.
inline Real draw(net::Random& random, Index rows, Index columns, double spread, double mean = 0) {
  Real result(rows, columns);
  for (double& value : result.values()) value = mean + random.uniform(-spread, spread);
  return result;
}

/// A column with a single 1.
inline Real one_hot(net::Random& random, Index n) {
  Real result(n, 1);
  result(random.below(n), 0) = 1;
  return result;
}

}  // namespace bptt::verify::textbook
