// The slope of the loss along each direction, twice: <grad, d> of the backend's backward, and the
// Richardson-extrapolated difference quotient of its forward, with the unit in which the two may
// differ. Measures only; what is right or wrong, verify/directions.cpp says.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "verify/differences.hpp"
#include "verify/own_forward.hpp"

namespace bptt::verify {

/// One direction under one loss.
struct Slope {
  double analytic = 0;  ///< <grad, d>
  Estimate difference;
  double unit = 0;
  double signal = 0;  ///< what <grad, d> is in the mean over the signs of d

  double units() const {
    const double error = std::abs(analytic - difference.value);
    const double units = error == 0 ? 0 : error / unit;
    return std::isfinite(units) ? units : std::numeric_limits<double>::infinity();
  }
  bool conclusive() const { return error_limit * unit < required_resolution<double>() * signal; }
};

using SlopePerLoss = std::array<Slope, loss_count>;

class DirectionSlopes {
 public:
  /// Runs the model's backward under each loss. What is given must outlive this.
  DirectionSlopes(net::Model<double>& model, const Reference<float>& reference);

  /// What the model made of the inputs with all upstream gradients lit.
  const Values<double>& results() const { return results_[0]; }

  /// Of each direction of the part. The step is chosen for the first part of a tensor that comes,
  /// which has to be all of it (as in direction_parts()): what bends there bends most.
  std::vector<SlopePerLoss> of(const Part&);

 private:
  /// A power of two, which moves numbers that are floats without rounding.
  double step_for(const Part&);
  std::vector<SlopePerLoss> at(const Part&, double step);

  const Reference<float>& reference_;
  OwnForward forward_;
  std::array<Values<double>, loss_count> results_;
  std::map<std::size_t, double> steps_;  ///< of each tensor
};

}  // namespace bptt::verify
