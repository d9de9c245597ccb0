// How fast this machine computes at the moment. A virtual processor may be half of a core, whose
// other half somebody else uses now and then: it then runs at little more than half its speed, and
// no counter of the system tells.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace bptt::bench {

/// Multiply-adds per second of the slowest of the first `threads` processors that this process may
/// use, all at work at once. Takes half a millisecond, and binds the calling thread to the first.
double slowest_rate(int threads);

class Pace {
 public:
  /// `rate`: what slowest_rate() is, in any unit.
  explicit Pace(std::function<double(int)> rate = slowest_rate) : rate_(std::move(rate)) {}

  /// The rate at the moment over the best of late: 1 where nothing slows the processors down. Of
  /// late, since a processor that gets warm is slower for good.
  double operator()(int threads);

 private:
  static constexpr std::size_t remembered = 200;

  std::function<double(int)> rate_;
  std::map<int, std::deque<double>> latest_;  ///< by threads
};

}  // namespace bptt::bench
