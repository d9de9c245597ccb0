// That the others follow a time loop, all in the same pieces, and stop with it.
#include "impls/fused/backlog.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bptt::fused {
namespace {

TEST(FusedBacklog, WhatIsNotBegunWhenTheLoopEndsIsLeft) {
  Backlog backlog({.threads = 2});
  backlog.open(10);
  backlog.reach(4);
  EXPECT_TRUE(backlog.begin(0, 8));
  EXPECT_TRUE(backlog.begin(1, 4));
  backlog.close(0);
  EXPECT_FALSE(backlog.begin(2, 0));
  EXPECT_EQ(backlog.begun(), 2);

  backlog.open(10);
  EXPECT_EQ(backlog.begun(), 0);
  backlog.reach(8);
  EXPECT_TRUE(backlog.begin(0, 8)) << "open again";
}

/// One of them has begun a piece: so do the others, though the loop has ended since.
TEST(FusedBacklog, AllBeginWhatOneHasBegun) {
  Backlog backlog({.threads = 3});
  backlog.open(10);
  backlog.reach(0);
  EXPECT_TRUE(backlog.begin(0, 5));
  EXPECT_TRUE(backlog.begin(1, 0));
  backlog.close(0);
  EXPECT_TRUE(backlog.begin(0, 5));
  EXPECT_TRUE(backlog.begin(1, 0));
  EXPECT_FALSE(backlog.begin(2, 0));
  EXPECT_FALSE(backlog.begin(2, 0));
  EXPECT_EQ(backlog.begun(), 2);
}

/// Nobody begins a piece before the loop has left it, all begin the same ones, and all see what the
/// loop has written.
TEST(FusedBacklog, PiecesFollowTheLoop) {
  constexpr int steps = 50, others = 3;
  for (int run = 0; run < 200; ++run) {
    Backlog backlog({.threads = 1 + others});
    std::vector<int> written(steps, 0);
    std::vector<int> begun(others, 0);
    backlog.open(steps);
    std::vector<std::thread> threads;
    for (int other = 0; other < others; ++other) {
      threads.emplace_back([&, other] {
        int& count = begun[static_cast<std::size_t>(other)];
        for (int t = steps - 1; t >= 0 && backlog.begin(count, t); --t, ++count) {
          EXPECT_EQ(written[static_cast<std::size_t>(t)], 1) << "the loop has not come so far";
        }
      });
    }
    for (int t = steps - 1; t > 0; --t) {
      written[static_cast<std::size_t>(t)] = 1;
      backlog.reach(t);
      if (t % 10 == run % 10) std::this_thread::yield();
    }
    backlog.close(0);
    for (std::thread& thread : threads) thread.join();
    EXPECT_LT(backlog.begun(), steps) << "what the last step leaves is for all";
    for (const int count : begun) EXPECT_EQ(count, backlog.begun());
  }
}

}  // namespace
}  // namespace bptt::fused
