// The progress line's text, and signals that are held until they are asked for.
#include "impls/program/progress.hpp"

#include <chrono>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "impls/program/interrupt.hpp"

namespace bptt::program {
namespace {

TEST(Progress, ClockText) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(6.2), "0:07");
  EXPECT_EQ(clock_text(725), "12:05");
  EXPECT_EQ(clock_text(3 * 3600 + 10), "3:00:10");
  EXPECT_EQ(clock_text(-1), "0:00");
}

TEST(Progress, TimeLeftFollowsTheEstimateAtFirstAndTheTruthLater) {
  EXPECT_EQ(progress_text(0, 100, 5, "a", 80), "  0%  1:40 left  a");
  // 10 estimated seconds took 20: so the other 90 will take 180.
  EXPECT_EQ(progress_text(10, 100, 20, "a", 80), " 10%  3:00 left  a");
  EXPECT_EQ(progress_text(120, 100, 20, "a", 80), "100%  0:00 left  a");
}

TEST(Progress, FitsTheTerminal) {
  EXPECT_EQ(progress_text(0, 100, 5, "a long name", 20), "  0%  1:40 left  a l");
}

TEST(Interrupt, IsRememberedAndEndsWithTheGuard) {
  {
    const InterruptGuard guard;
    EXPECT_FALSE(interrupted());
    std::raise(SIGTERM);
    EXPECT_TRUE(interrupted());
  }
  const InterruptGuard guard;
  EXPECT_FALSE(interrupted());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupted());
}

TEST(Interrupt, TwoAtOnceAreOne) {
  const InterruptGuard guard;
  std::raise(SIGINT);
  std::raise(SIGINT);
  EXPECT_TRUE(interrupted());
}

TEST(InterruptDeathTest, ALaterOneEndsTheProgram) {
  EXPECT_EXIT(
      {
        const InterruptGuard guard;
        std::raise(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace bptt::program
