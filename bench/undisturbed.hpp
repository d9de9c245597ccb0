// Measuring on a machine whose processors are shared with others who do not show: on a virtual
// machine, what is measured while the host takes a processor away, or half of one, is the host.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "bench/pace.hpp"
#include "bench/system.hpp"
#include "impls/api/index.hpp"

namespace bptt::bench {

/// Measures when the processors have their full pace, and again what the host has disturbed. It
/// goes by how fast they are before and after and by the time that was taken away, never by what
/// was measured, which would favour luck. Waiting and measuring again take no longer in all than
/// measuring once and two seconds: where a machine is never quiet, what there is must do.
class Undisturbed {
 public:
  struct Machine {
    std::function<double()> now = steady_seconds;
    std::function<double()> stolen = stolen_seconds;  ///< taken away so far, in seconds
    std::function<double(int)> pace = Pace();         ///< of so many processors; 1 is the best
  };
  explicit Undisturbed(Machine machine) : machine_(std::move(machine)) {}

  /// The result of measure(), or of the least disturbed of some, where more than a hundredth of the
  /// time of `threads` processors was taken away (the system counts in steps of some milliseconds,
  /// so that in a short measurement there must be none) or one of them was slower than it can be.
  /// The threads that measure() uses must sleep when it returns.
  template <class Measure, class Stop>
  auto operator()(int threads, const Measure& measure, const Stop& stop) {
    ++measurements_;
    auto least = attempt(threads, measure, stop);
    allowance_ += least.seconds;
    for (int more = 0; more < tries && least.disturbance > 1; ++more) {
      if (allowance_ < least.seconds || stop()) break;
      if (more == 0) ++repeated_;
      auto next = attempt(threads, measure, stop);
      allowance_ -= next.seconds;
      if (next.disturbance < least.disturbance) least = std::move(next);
    }
    if (least.disturbance > 1) ++disturbed_;
    return least.result;
  }

  Index measurements() const { return measurements_; }
  Index repeated() const { return repeated_; }    ///< of these, how many were made again
  Index disturbed() const { return disturbed_; }  ///< how many were disturbed to the end

 private:
  static constexpr double tolerated_share = 0.01, tolerated_loss = 0.15;
  static constexpr int tries = 4;
  static constexpr double longest_wait = 1;  ///< seconds

  template <class Result>
  struct Attempt {
    double disturbance;  ///< above 1: more than is tolerated
    double seconds;
    Result result;
  };

  template <class Measure, class Stop>
  auto attempt(int threads, const Measure& measure, const Stop& stop) {
    const double before = wait_for_full_pace(threads, stop), stolen = machine_.stolen();
    const double start = machine_.now();
    auto result = measure();
    const double seconds = machine_.now() - start;
    const double share = (machine_.stolen() - stolen) / (seconds * threads);
    const double loss = 1 - std::min(before, machine_.pace(threads));
    return Attempt<decltype(result)>{std::max(share / tolerated_share, loss / tolerated_loss),
                                     seconds, std::move(result)};
  }

  /// Busily: a processor that sleeps in between may not come back to its clock.
  template <class Stop>
  double wait_for_full_pace(int threads, const Stop& stop) {
    const double start = machine_.now();
    double pace = machine_.pace(threads), waited = 0;
    while (1 - pace > tolerated_loss && waited < std::min(longest_wait, allowance_) && !stop()) {
      pace = machine_.pace(threads);
      waited = machine_.now() - start;
    }
    allowance_ -= waited;
    return pace;
  }

  Machine machine_;
  double allowance_ = 2;  ///< seconds for waiting and measuring again
  Index measurements_ = 0, repeated_ = 0, disturbed_ = 0;
};

}  // namespace bptt::bench
