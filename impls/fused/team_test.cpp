// Who comes to the calls of a team, and that what they need is there.
#include "impls/fused/team.hpp"

#include <cfenv>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "impls/threads/second_thread.hpp"

namespace bptt::fused {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using threads::SecondThread;

/// What the members of one call saw.
struct Seen {
  std::set<int> ranks, sizes;
  int calls = 0;
};

Seen call(Team& team, int meetings = 3) {
  Seen seen;
  std::mutex mutex;
  std::atomic<int> arrived{0};
  team.run([&](const Member& member) {
    for (int k = 0; k < meetings; ++k) {
      ++arrived;
      member.meet();
      EXPECT_EQ(arrived % member.size(), 0) << "somebody passed before all had come";
      member.meet();
    }
    const std::lock_guard lock(mutex);
    seen.ranks.insert(member.rank());
    seen.sizes.insert(member.size());
    EXPECT_EQ(member.place(), member.rank());
    EXPECT_EQ(member.alone().place(), member.rank());
    ++seen.calls;
  });
  return seen;
}

void expect_whole(const Seen& seen, int threads) {
  ASSERT_EQ(seen.sizes.size(), 1U);
  const int size = *seen.sizes.begin();
  EXPECT_GE(size, 1);
  EXPECT_LE(size, threads);
  EXPECT_EQ(seen.calls, size);
  EXPECT_EQ(static_cast<int>(seen.ranks.size()), size);
  EXPECT_EQ(*seen.ranks.begin(), 0);
  EXPECT_EQ(*seen.ranks.rbegin(), size - 1);
}

TEST(FusedTeam, MembersHaveRanksAndMeet) {
  for (const int threads : {1, 2, 3, 5}) {
    Team team({threads});
    for (int k = 0; k < 300; ++k) expect_whole(call(team), threads);
  }
}

/// So long that oneTBB's threads have gone to sleep, shorter, and none.
TEST(FusedTeam, ThreadsComeBackAfterAPause) {
  Team team({2});
  SecondThread control;
  int both = 0;
  for (int k = 0; k < 120; ++k) {
    control.ask();
    std::this_thread::sleep_for(microseconds(k % 3 == 0 ? 2000 : k % 3 == 1 ? 200 : 0));
    const Seen seen = call(team);
    expect_whole(seen, 2);
    both += seen.calls == 2 ? 1 : 0;
  }
  control.judge(both);
}

/// They have one arena in turn.
TEST(FusedTeam, TeamsTakeTurns) {
  std::vector<std::unique_ptr<Team>> teams;
  for (int k = 0; k < 4; ++k) teams.push_back(std::make_unique<Team>(Exec{.threads = 2}));
  std::vector<int> both(teams.size());
  SecondThread control;
  for (int k = 0; k < 400; ++k) {
    if (k % 4 == 0) control.ask();
    const auto at = static_cast<std::size_t>(k) % teams.size();
    const Seen seen = call(*teams[at]);
    expect_whole(seen, 2);
    both[at] += seen.calls == 2 ? 1 : 0;
  }
  for (const int count : both) control.judge(count);
}

TEST(FusedTeam, TeamsOfSeveralCallersAtOnce) {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([caller] {
      for (int round = 0; round < 5; ++round) {
        // Two callers take their arenas from one pool.
        const int threads = 2 + caller / 2;
        Team team({threads}), other({threads});
        for (int k = 0; k < 50; ++k) expect_whole(call(k % 3 == 0 ? other : team), threads);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

/// Right after a call its threads are still in the arena.
TEST(FusedTeam, EndsAfterACall) {
  for (int k = 0; k < 200; ++k) {
    Team team({3});
    expect_whole(call(team), 3);
  }
}

/// More teams at work at once than oneTBB has threads for, each in an arena of its own, and then in
/// one in turn.
TEST(FusedTeam, TeamsWithinEachOther) {
  Team first({2}), second({2}), third({2});
  for (int k = 0; k < 20; ++k) {
    first.run([&](const Member& member) {
      if (member.rank() != 0) return;
      expect_whole(call(second), 2);
      second.run([&](const Member& inner) {
        if (inner.rank() == 0) expect_whole(call(third), 2);
      });
    });
    for (Team* const team : {&third, &first, &second}) expect_whole(call(*team), 2);
  }
}

/// Whoever made the arena that a call is in.
TEST(FusedTeam, RoundsAsTheCallerDoesWhereItTakesAnothersArena) {
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  Team upward({4});
  std::fesetround(FE_DOWNWARD);
  Team downward({4});
  std::fesetround(FE_TONEAREST);
  for (Team* const team : {&upward, &downward, &upward}) {
    std::atomic<int> others{0};
    team->run([&](const Member&) { others += std::fegetround() == FE_TONEAREST ? 0 : 1; });
    EXPECT_EQ(others, 0);
    EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  }
}

TEST(FusedTeam, RoundsAsTheCallerDoesNow) {
  Team team({2});
  SecondThread control;
  int both = 0;
  for (int k = 0; k < 300; ++k) {
    control.ask();
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TONEAREST}) {
      ASSERT_EQ(std::fesetround(mode), 0);
      std::atomic<int> others{0};
      team.run([&](const Member& member) {
        others += std::fegetround() == mode ? 0 : 1;
        if (member.rank() == 1) ++both;
      });
      std::fesetround(FE_TONEAREST);
      EXPECT_EQ(others, 0);
    }
  }
  control.judge(both);
}

}  // namespace
}  // namespace bptt::fused
