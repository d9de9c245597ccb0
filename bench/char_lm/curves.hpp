// Judging loss curves: whether a training learns, and whether two trainings are the same one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "impls/api/index.hpp"
#include "impls/api/scalar.hpp"

namespace bptt::bench {

using Curve = std::vector<double>;  ///< loss per character by training step, in nats

/// How far a loss curve may be from the exact one, step by step.
///
/// Two right implementations add the same numbers in different orders. Their curves part by
/// rounding, and training amplifies that. How much it does so here is measured: the reference
/// backend trains in f32 and in f64, and the largest distance of the two curves up to a step is
/// what rounding to f32 does by that step. Another right backend is allowed `factor` times as much,
/// and `floor` units of rounding of the loss itself, for the first steps, where the two may agree
/// by chance. In f64 all of that shrinks by the ratio of the precisions, because what rounding does
/// is proportional to its size as long as it is small.
///
/// A training may be chaotic (too high a learning rate): then rounding grows until it decides what
/// the curve does, and right implementations part. From the step where it moves the reference's
/// loss by more than `chaos`, relatively, curves are not compared. Nor are they from the step where
/// a loss of the reference is not finite: that training diverged, and no backend is to blame.
class CurveBound {
 public:
  static constexpr double factor = 10;
  static constexpr double floor = 32;
  static constexpr double chaos = 0.01;

  /// Both curves of the reference backend.
  CurveBound(Curve exact, const Curve& rounded_to_f32);

  /// Steps that both curves have.
  std::size_t steps() const { return largest_distance_.size(); }
  /// Steps up to which curves can be compared.
  std::size_t comparable_steps() const;
  /// Whether the comparison ends where a loss of the reference is not finite.
  bool diverged() const;
  double exact(std::size_t step) const { return exact_[step]; }
  double allowed(std::size_t step, Dtype) const;

 private:
  Curve exact_;
  std::vector<double> largest_distance_;  ///< up to and with each step
};

struct Disagreement {
  std::size_t step = 0;
  double loss = 0, expected = 0, allowed = 0;
};

/// The largest distance from the exact curve over the one allowed, as far as they can be compared:
/// above 1 they disagree. Infinite where a loss is not finite.
double worst_distance(const Curve&, Dtype, const CurveBound&);
/// The first step at which a curve is too far away, as far as they can be compared.
std::optional<Disagreement> first_disagreement(const Curve&, Dtype, const CurveBound&);

/// Means over the first and last tenth of a curve (at least one step).
struct Fall {
  double first = 0, last = 0;
  Index steps = 0;
  /// From `enough_steps` on the loss counts as fallen where it lost a tenth of itself: with 76
  /// characters from log(76) = 4.3 to 3.9, well before the model knows how often each one occurs.
  /// Over fewer steps it has to be lower at all.
  static constexpr double least = 0.1;
  static constexpr Index enough_steps = 40;
  bool fell() const { return last < (steps < enough_steps ? 1 : 1 - least) * first; }
};
Fall fall_of(const Curve&);

}  // namespace bptt::bench
