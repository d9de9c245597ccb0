// The derivative of a loss by complex step: Im L(theta + i h) / h. No difference is taken, so h can
// be as small as it takes for the truncation to vanish, and what is left is rounding (Squire and
// Trapp 1998).
#pragma once

#include <complex>
#include <memory>
#include <string>

#include "verify/differences.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// Derivative of L along one element at a time, by naive's forward. Leaves the element as it was.
class ComplexStep {
 public:
  using Complex = std::complex<double>;
  // Small enough that h^2 is nothing beside 1, large enough that no product underflows.
  static constexpr double h = 1e-30;

  /// `given` must outlive this.
  ComplexStep(const Subject& subject, const Given& given);

  /// Along an element of model()'s tensors. Leaves the derivatives of all states in the outputs.
  double operator()(Complex& element, double step = h);
  /// The same for several steps, which round differently: their mean, and their spread as the
  /// error. Where a cell subtracts what is nearly equal, the complex step loses digits that the
  /// analytic gradient keeps.
  Estimate repeated(Complex& element);
  /// Of the derivative just taken: what rounding one sum over the terms of L may do to it. The
  /// terms can cancel that the analytic gradient never forms.
  double rounding() const;

  const net::Model<Complex>& model() const { return *model_; }

 private:
  const Given& given_;
  std::unique_ptr<net::Model<Complex>> model_;
};

/// The derivative of a subject's loss along one element of a tensor ("weight_hh_l0"), by complex
/// step. Not a number where there is no such tensor.
double complex_step_of(const Subject&, const Given&, const std::string& tensor, Index element);

}  // namespace bptt::verify
