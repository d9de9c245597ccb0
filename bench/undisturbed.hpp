// Measuring on a machine whose processors are shared with others who do not show: on a virtual
// machine, what is measured while the host takes a processor away, or half of one, is the host.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "bench/pace.hpp"
#include "bench/system.hpp"
#include "impls/api/index.hpp"

namespace bptt::bench {

/// Measures when the processors have their full pace, and again what the host has disturbed. It
/// goes by how fast they are before and after and by the time that was taken away, never by what
/// was measured, which would favour luck. All that takes no longer than the measurements
/// themselves: where a machine is never quiet, what there is must do.
class Undisturbed {
 public:
  struct Machine {
    std::function<double()> now = [] {  ///< seconds
      return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
    };
    std::function<double()> stolen = stolen_seconds;  ///< taken away so far, in seconds
    std::function<double(int)> pace = Pace();         ///< of so many processors; 1 is the best
    std::function<void()> wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); };
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
    if (least.disturbance <= 1) return least.result;
    ++repeated_;
    for (int more = 0; more < tries && least.disturbance > 1 && may_go_on(stop); ++more) {
      auto next = attempt(threads, measure, stop);
      allowance_ -= next.seconds;
      if (next.disturbance < least.disturbance) least = std::move(next);
    }
    if (least.disturbance > 1) ++disturbed_;
    return least.result;
  }

  Index measurements() const { return measurements_; }
  Index repeated() const { return repeated_; }    ///< of these, how many were made again
  Index disturbed() const { return disturbed_; }  ///< and how many were disturbed every time

 private:
  static constexpr double tolerated_share = 0.01, tolerated_loss = 0.15;
  static constexpr int tries = 4;

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

  template <class Stop>
  double wait_for_full_pace(int threads, const Stop& stop) {
    double pace = machine_.pace(threads);
    while (1 - pace > tolerated_loss && may_go_on(stop)) {
      const double start = machine_.now();
      machine_.wait();
      pace = machine_.pace(threads);
      allowance_ -= machine_.now() - start;
    }
    return pace;
  }

  template <class Stop>
  bool may_go_on(const Stop& stop) const {
    return allowance_ > 0 && !stop();
  }

  Machine machine_;
  double allowance_ = 2;  ///< seconds for waiting and measuring again
  Index measurements_ = 0, repeated_ = 0, disturbed_ = 0;
};

}  // namespace bptt::bench
