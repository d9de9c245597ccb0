// How fast this machine computes at the moment. A virtual processor may be half of a core, whose
// other half somebody else uses now and then: it then runs at little more than half its speed, and
// no counter of the system tells.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace bptt::bench {

/// Multiply-adds per second of the slowest of the first `threads` processors that this process may
/// use, all at work at once. Takes half a millisecond, and binds the calling thread to the first.
double slowest_rate(int threads);

/// Of a clock that nobody sets.
double steady_seconds();

class Pace {
 public:
  /// `rate`: what slowest_rate() is, in any unit. `now`: seconds.
  explicit Pace(std::function<double(int)> rate = slowest_rate,
                std::function<double()> now = steady_seconds)
      : rate_(std::move(rate)), now_(std::move(now)) {}

  /// The rate at the moment over the best of the last minute: 1 where nothing slows the processors
  /// down. Not the best of all time, since a processor that gets warm is slower for good.
  double operator()(int threads);

 private:
  static constexpr double remembered = 60;  ///< seconds

  struct Sample {
    double time, rate;
  };
  std::function<double(int)> rate_;
  std::function<double()> now_;
  std::map<int, std::deque<Sample>> latest_;  ///< by threads
};

}  // namespace bptt::bench
