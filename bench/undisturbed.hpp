// Measuring on a machine whose processors are shared with others who do not show: on a virtual
// machine, what is measured while the host takes a processor away is the host.
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "bench/system.hpp"
#include "impls/api/index.hpp"

namespace bptt::bench {

/// Measures again what the host has disturbed. It goes by processor time that was taken away, and
/// never by what was measured, which would favour luck.
class Undisturbed {
 public:
  /// `stolen`: seconds taken away so far.
  explicit Undisturbed(std::function<double()> stolen = stolen_seconds)
      : stolen_(std::move(stolen)) {}

  /// The result of measure(), or of the least disturbed of some, where more than a hundredth of the
  /// time of `threads` processors was taken away. (The system counts in steps of some milliseconds,
  /// so that in a short measurement there must be none.)
  template <class Measure, class Stop>
  auto operator()(int threads, const Measure& measure, const Stop& stop) {
    using Clock = std::chrono::steady_clock;
    ++measurements_;
    const auto once = [&] {
      const double stolen_before = stolen_();
      const auto start = Clock::now();
      auto result = measure();
      const std::chrono::duration<double> elapsed = Clock::now() - start;
      const double share = (stolen_() - stolen_before) / (elapsed.count() * threads);
      return std::pair(share, std::move(result));
    };
    auto least = once();
    if (least.first <= tolerated) return least.second;
    ++repeated_;
    for (int more = 0; more < tries && least.first > tolerated && !stop(); ++more) {
      auto next = once();
      if (next.first < least.first) least = std::move(next);
    }
    if (least.first > tolerated) ++disturbed_;
    return least.second;
  }

  Index measurements() const { return measurements_; }
  Index repeated() const { return repeated_; }    ///< of these, how many were made again
  Index disturbed() const { return disturbed_; }  ///< and how many were disturbed every time

 private:
  static constexpr double tolerated = 0.01;
  static constexpr int tries = 4;

  std::function<double()> stolen_;
  Index measurements_ = 0, repeated_ = 0, disturbed_ = 0;
};

}  // namespace bptt::bench
