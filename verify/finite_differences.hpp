// The derivative of a loss by central finite differences in long double: the mathematics of
// verify/differences.hpp applied to a subject's forward pass, with a step for each tensor.
#pragma once

#include <memory>

#include "verify/differences.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// Derivative of L along one element at a time, by naive's forward. Leaves the element as it was.
class FiniteDifferences {
 public:
  /// `given` must outlive this.
  FiniteDifferences(const Subject& subject, const Given& given);

  /// Chooses the step for a tensor from what its loss does along some of its elements: how far it
  /// bends, against how much it rounds (verify/differences.hpp has the formula).
  void choose_step(const View<long double>& tensor);

  /// Along an element of model()'s tensors. Good where its error is below `wanted`: smaller steps
  /// are tried until it is, or until rounding alone makes them as bad, because a step that crosses
  /// a kink (of relu) converges to nothing.
  Estimate operator()(long double& element, double wanted);

  const net::Model<long double>& model() const { return *model_; }

 private:
  static constexpr long double largest_step = 0x1p-3L, smallest_step = 0x1p-20L;
  static constexpr int levels = 4;

  /// Of (L(+h) - L(-h)) / 2, after the forward pass before: ulps of the sum of the loss's terms.
  long double rounding() const;
  long double difference(long double& element, long double h);
  Estimate at(long double& element, long double h);
  /// Of the estimate of a table that starts at h.
  double rounding_of_table(long double h) const;

  long double step_ = largest_step;
  const Given& given_;
  std::unique_ptr<net::Model<long double>> model_;
};

}  // namespace bptt::verify
