#include "bench/pace.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "bench/limits/kernels.hpp"
#include "bench/limits/team.hpp"
#include "bench/system.hpp"

namespace bptt::bench {

double slowest_rate(int threads) {
  using Clock = std::chrono::steady_clock;
  // About 0.1 ms. The best of some: the first ones find a processor that has slept.
  constexpr std::size_t rounds = 1 << 15;
  constexpr int bursts = 4;
  const int members = std::min(threads, usable_processors());
  std::vector<double> best(static_cast<std::size_t>(members));
  SpinBarrier barrier(members);
  run_team(members, true, [&](int k) {
    for (int burst = 0; burst < bursts; ++burst) {
      barrier.wait();
      const auto start = Clock::now();
      const double flops = run_multiply_adds<float>(rounds);
      const std::chrono::duration<double> elapsed = Clock::now() - start;
      double& own = best[static_cast<std::size_t>(k)];
      own = std::max(own, flops / 2 / elapsed.count());
    }
  });
  return *std::ranges::min_element(best);
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const std::deque<Pace::Sample>& Pace::sample(int threads) {
  std::deque<Sample>& latest = latest_[threads];
  latest.push_back({now_(), rate_(threads)});
  while (latest.front().time < latest.back().time - remembered) latest.pop_front();
  return latest;
}

double Pace::operator()(int threads) {
  for (const int other : asked_for_) {
    const std::deque<Sample>& known = latest_[other];
    if (other != threads && (known.empty() || known.back().time < now_() - taken_along_every)) {
      sample(other);
    }
  }
  const std::deque<Sample>& latest = sample(threads);
  return latest.back().rate / std::ranges::max_element(latest, {}, &Sample::rate)->rate;
}

}  // namespace bptt::bench
