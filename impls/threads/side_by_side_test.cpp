// Two plans at a time: who runs them, where, and what is left when one fails.
#include "impls/threads/side_by_side.hpp"

#include <cfenv>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>

#include "impls/fused/team.hpp"
#include "impls/threads/second_thread.hpp"

namespace bptt::threads {
namespace {

using Clock = std::chrono::steady_clock;

/// Calls both sides, each of which waits a little for the other.
struct Meeting {
  explicit Meeting(SideBySide& sides) {
    std::atomic<int> here{0};
    sides.run([&](int side) {
      threads[side] = std::this_thread::get_id();
      ++calls[side];
      ++here;
      const auto deadline = Clock::now() + std::chrono::milliseconds(2);
      while (here < 2 && Clock::now() < deadline) std::this_thread::yield();
      if (side == 0) met = here == 2;
    });
  }
  std::thread::id threads[2];
  int calls[2] = {};
  bool met = false;
};

TEST(SideBySide, BothAtTheSameTimeTheFirstOnTheCallersThread) {
  OneTbbSideBySide sides({.threads = 2});
  SecondThread control;
  int met = 0;
  for (int call = 0; call < 300; ++call) {
    const Meeting meeting(sides);
    control.ask();
    EXPECT_EQ(meeting.threads[0], std::this_thread::get_id());
    EXPECT_EQ(meeting.calls[0], 1);
    EXPECT_EQ(meeting.calls[1], 1);
    if (!meeting.met) continue;
    ++met;
    EXPECT_NE(meeting.threads[1], std::this_thread::get_id());
  }
  control.judge(met);
}

TEST(SideBySide, EachHasATeamOfItsOwn) {
  const Exec all{.threads = 4};
  OneTbbSideBySide sides(all);
  fused::Team first(half_of(all, 0)), second(half_of(all, 1));
  fused::Team* teams[] = {&first, &second};
  SecondThread control;
  int both = 0;
  for (int call = 0; call < 300; ++call) {
    int sizes[2] = {};
    sides.run([&](int side) {
      teams[side]->run([&](const fused::Member& member) {
        if (member.rank() == 0) sizes[side] = member.size();
      });
    });
    control.ask();
    EXPECT_TRUE(sizes[0] > 0 && sizes[1] > 0);
    both += sizes[0] == 2 && sizes[1] == 2 ? 1 : 0;
  }
  control.judge(both);
}

TEST(SideBySide, HalvesAreDifferentThreads) {
  const Exec exec{.threads = 6, .same_for_all_threads = true, .first_thread = 2};
  const Exec first = half_of(exec, 0), second = half_of(exec, 1);
  EXPECT_EQ(first.threads, 3);
  EXPECT_EQ(first.first_thread, 2);
  EXPECT_EQ(second.threads, 3);
  EXPECT_EQ(second.first_thread, 5);
  EXPECT_TRUE(second.same_for_all_threads);
}

/// The one processor that the calling thread is bound to; -1 if it is not.
int bound_to() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  if (CPU_COUNT(&set) != 1) return -1;
  for (int cpu = 0;; ++cpu) {
    if (CPU_ISSET(cpu, &set)) return cpu;
  }
}

TEST(SideBySide, ThreadsAreBoundFromTheFirstOn) {
  const auto& all = processors();
  if (all.size() < 2) GTEST_SKIP() << "one processor";
  for (const int first_thread : {0, 1}) {
    const Exec exec{.threads = 2, .bind_threads = true, .first_thread = first_thread};
    const int expected = all[static_cast<std::size_t>(first_thread + 1) % all.size()];
    OneTbbSideBySide sides(exec);
    fused::Team team(exec);
    bind_this_thread(first_thread);
    bool seen = false, seen_in_team = false;
    for (int call = 0; call < 300; ++call) {
      const std::thread::id caller = std::this_thread::get_id();
      sides.run([&](int side) {
        if (side == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
        if (std::this_thread::get_id() == caller) return;
        seen = true;
        EXPECT_EQ(bound_to(), expected);
      });
      team.run([&](const fused::Member& member) {
        if (member.size() < 2 || member.rank() == 0) return;
        seen_in_team = true;
        EXPECT_EQ(bound_to(), expected);
      });
    }
    unbind_this_thread();
    if (!seen || !seen_in_team) GTEST_SKIP() << "oneTBB never gave a second thread";
  }
}

TEST(SideBySide, ThePlansOfTheSecondHalfAreBoundToItsProcessors) {
  const auto& all = processors();
  if (all.size() < 2) GTEST_SKIP() << "one processor";
  // first_thread is such that on two processors the second half's first thread is not the caller's.
  const Exec exec{.threads = 4, .bind_threads = true, .first_thread = 1};
  const auto processor = [&](int thread) {
    return all[static_cast<std::size_t>(thread) % all.size()];
  };
  OneTbbSideBySide sides(exec);
  fused::Team first(half_of(exec, 0)), second(half_of(exec, 1));
  fused::Team* teams[] = {&first, &second};
  bind_this_thread(1);
  const std::thread::id caller = std::this_thread::get_id();
  bool seen = false;
  for (int call = 0; call < 300; ++call) {
    sides.run([&](int side) {
      if (side == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      const bool elsewhere = std::this_thread::get_id() != caller;
      teams[side]->run([&](const fused::Member& member) {
        if (member.size() < 2 || (side == 1 && !elsewhere)) return;
        const int number = exec.first_thread + 2 * side + member.rank();
        EXPECT_EQ(bound_to(), processor(number)) << "side " << side << ", " << member.rank();
        if (side == 1 && member.rank() == 0) seen = true;
      });
    });
  }
  unbind_this_thread();
  if (!seen) GTEST_SKIP() << "oneTBB never gave the second half two threads";
}

TEST(SideBySide, RoundsAsTheCallerDoes) {
  OneTbbSideBySide sides({.threads = 2});
  for (const int rounding : {FE_UPWARD, FE_TONEAREST, FE_DOWNWARD}) {
    std::fesetround(rounding);
    int found[2] = {-1, -1};
    sides.run([&](int side) { found[side] = std::fegetround(); });
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(found[0], rounding);
    EXPECT_EQ(found[1], rounding);
  }
}

TEST(SideBySide, ThrowsWhenBothHaveEnded) {
  OneTbbSideBySide sides({.threads = 2});
  for (const std::string failing : {"0", "1", "01"}) {
    for (int repetition = 0; repetition < 20; ++repetition) {
      bool ended[2] = {};
      const auto fails = [&](int side) { return failing.find(char('0' + side)) != failing.npos; };
      try {
        sides.run([&](int side) {
          ended[side] = true;
          if (fails(side)) throw std::runtime_error("side " + std::to_string(side));
        });
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "side " + failing.substr(0, 1));
      }
      EXPECT_TRUE(ended[0] && ended[1]) << failing;
    }
  }
}

}  // namespace
}  // namespace bptt::threads
