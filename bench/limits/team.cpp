#include "bench/limits/team.hpp"

#include <exception>
#include <thread>
#include <vector>

#include "impls/threads/affinity.hpp"

namespace bptt::bench {

void SpinBarrier::wait() {
  const unsigned round = round_.load(std::memory_order_relaxed);
  if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    waiting_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  while (round_.load(std::memory_order_acquire) == round) {
  }
}

void run_team(int threads, bool bind, const std::function<void(int)>& member) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(threads));
  const auto run = [&](int k) {
    if (bind) threads::bind_this_thread(k);
    try {
      member(k);
    } catch (...) {
      failures[static_cast<std::size_t>(k)] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int k = 1; k < threads; ++k) others.emplace_back(run, k);
  run(0);
  for (std::thread& other : others) other.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace bptt::bench
