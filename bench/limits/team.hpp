// Bound threads that begin together: what the limits of several threads are measured with.
#pragma once

#include <atomic>
#include <functional>

namespace bptt::bench {

/// Nobody passes before all have come. Waits spinning: for threads that have a processor each.
class SpinBarrier {
 public:
  explicit SpinBarrier(int threads) : threads_(threads) {}
  void wait();

 private:
  const int threads_;
  std::atomic<int> waiting_{0};
  std::atomic<unsigned> round_{0};
};

/// Runs member(0) ... member(threads-1) at once, member 0 on the calling thread, each bound to a
/// processor as threads::bind_this_thread has it where `bind` says so. What a member throws comes
/// through when all have ended; none may be waited for at a barrier then.
void run_team(int threads, bool bind, const std::function<void(int)>& member);

}  // namespace bptt::bench
