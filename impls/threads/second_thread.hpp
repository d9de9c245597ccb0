// For tests: whether oneTBB gives a second thread at all.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include "impls/threads/handover.hpp"

namespace bptt::threads {

/// oneTBB does not promise threads, and on a busy machine they come too late. So what is
/// tested is held against an arena of nothing but oneTBB, asked in between, whether a second thread
/// comes to it.
class SecondThread {
 public:
  void ask() {
    std::atomic<int> here{0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    const auto task = [&](int) {
      take_over(&forked_);
      ++here;
      while (here < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      if (std::chrono::steady_clock::now() >= deadline) late_ = true;
      hand_over(&joined_);
    };
    hand_over(&forked_);
    arena_.execute(
        [&] { oneapi::tbb::parallel_for(0, 2, task, oneapi::tbb::simple_partitioner()); });
    take_over(&joined_);
    in_time_ += late_ ? 0 : 1;
    late_ = false;
  }
  /// `both`: in how many of as many calls two threads came to what is tested.
  void judge(int both) const {
    if (both > 0) return;
    EXPECT_LT(in_time_, 10)
        << "the second thread came to oneTBB's arena, and never to what is tested";
    GTEST_SKIP() << "oneTBB never gave a second thread in time";
  }

 private:
  static inline char forked_ = 0, joined_ = 0;  // as in Arena
  oneapi::tbb::task_arena arena_{2};
  std::atomic<bool> late_{false};
  int in_time_ = 0;
};

}  // namespace bptt::threads
