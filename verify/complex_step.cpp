#include "verify/complex_step.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace bptt::verify {

ComplexStep::ComplexStep(const Subject& subject, const Given& given)
    : given_(given), model_(subject.make<Complex>(naive_plans<Complex>())) {
  set_given(given, *model_);
}

double ComplexStep::operator()(Complex& element, double step) {
  const Complex kept = element;
  element += Complex(0, step);
  model_->forward();
  element = kept;
  return model_->loss().imag() / step;
}

Estimate ComplexStep::repeated(Complex& element) {
  constexpr int times = 16;
  std::array<double, times> values;
  double mean = 0, square = 0;
  for (int i = 0; i < times; ++i) {
    values[i] = (*this)(element, h * (1 + 0.0371 * i));
    mean += values[i] / times;
  }
  for (const double value : values) square += (value - mean) * (value - mean) / times;
  return {mean, std::sqrt(square)};
}

double ComplexStep::rounding() const {
  double sum = 0;
  for_each_term(*model_, given_, [&](double upstream, const Complex& output) {
    sum += std::abs(upstream * output.imag());
  });
  return sum / h * std::numeric_limits<double>::epsilon() / 2;
}

double complex_step_of(const Subject& subject, const Given& given, const std::string& tensor,
                       Index element) {
  ComplexStep derivative(subject, given);
  for (const auto& candidate : derivative.model().tensors()) {
    if (candidate.name == tensor) return derivative.repeated(candidate.value[element]).value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace bptt::verify
