// How fast this machine computes at the moment. A virtual processor may be half of a core, whose
// other half somebody else uses now and then: it then runs at little more than half its speed, and
// no counter of the system tells.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace bptt::bench {

/// Multiply-adds per second of the slowest of the first `threads` processors that this process may
/// use, all at work at once. Takes half a millisecond, and binds the calling thread to the first.
double slowest_rate(int threads);

/// Of a clock that nobody sets.
double steady_seconds();

class Pace {
 public:
  /// `rate`: what slowest_rate() is, in any unit. `now`: seconds. `asked_for`: numbers of threads
  /// whose rates are taken along, so that the first question about two threads finds what two had
  /// while one was asked about. (Two virtual processors may become two halves of one core: each is
  /// as fast as ever then while the other sleeps.)
  explicit Pace(std::function<double(int)> rate = slowest_rate,
                std::function<double()> now = steady_seconds, std::vector<int> asked_for = {})
      : rate_(std::move(rate)), now_(std::move(now)), asked_for_(std::move(asked_for)) {}

  /// The rate at the moment over the best of the last minute: 1 where nothing slows the processors
  /// down. Not the best of all time, since a processor that gets warm is slower for good.
  double operator()(int threads);

 private:
  static constexpr double remembered = 60, taken_along_every = 0.5;  ///< seconds

  struct Sample {
    double time, rate;
  };
  /// The latest rates with so many threads, and the one at the moment.
  const std::deque<Sample>& sample(int threads);

  std::function<double(int)> rate_;
  std::function<double()> now_;
  std::vector<int> asked_for_;
  std::map<int, std::deque<Sample>> latest_;  ///< by threads
};

}  // namespace bptt::bench
