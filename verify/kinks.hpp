// Keeping the preactivations of relu and leaky_relu away from their kink, where no derivative is
// right and finite differences and rounding take the wrong side.
#pragma once

#include <limits>
#include <span>

#include "impls/api/tensor.hpp"
#include "impls/net/model.hpp"
#include "impls/net/random.hpp"

namespace bptt::verify {

/// The smallest |preactivation| that is asked of a layer: beyond the reach of finite differences in
/// small cases, beyond rounding in large ones.
double kink_margin(const Spec&);

/// Draws the inputs x of the `rows` (all where empty) anew, step by step, until the layer keeps its
/// margin and enough units are active. Returns the smallest |preactivation| there is then.
template <Real T>
double repair_kinks(const Problem<T>&, net::Random, std::span<const Index> rows);

/// Plans of naive that watch their preactivations in forward.
class KinkWatch {
 public:
  /// Each belongs to this watch, which must outlive it.
  net::PlanMaker<double> plans();

  void reset() { *this = KinkWatch(); }
  double nearest() const { return nearest_; }  ///< smallest |preactivation| seen
  Index count() const { return count_; }       ///< preactivations seen
  /// The smallest share of units on the positive side, over the layers and their steps.
  double least_active() const { return least_active_; }

 private:
  class WatchedPlan;

  double nearest_ = std::numeric_limits<double>::infinity();
  Index count_ = 0;
  double least_active_ = 1;
};

}  // namespace bptt::verify
