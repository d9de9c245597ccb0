// Threads of a team are where they are told to be, and treat denormals as whoever calls them; whose
// turn it is with what they share.
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "impls/threads/affinity.hpp"
#include "impls/threads/denormals.hpp"
#include "impls/threads/idle_pool.hpp"
#ifdef BPTT_HAS_OPENMP
#include "impls/threads/openmp.hpp"
#endif
#ifdef BPTT_HAS_FUSED
#include "impls/fused/team.hpp"
#endif

namespace bptt {
namespace {

/// What a thread says of itself.
struct Found {
  bool flushes = true;
  std::vector<int> processors;
};

Found look() {
  Found found{threads::denormals_flushed(), {}};
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) found.processors.push_back(cpu);
  }
  return found;
}

/// The k-th processor, alone.
std::vector<int> bound_to(int k) {
  const auto& all = threads::processors();
  return {all[static_cast<std::size_t>(k) % all.size()]};
}

class Threads : public ::testing::Test {
 protected:
  void SetUp() override {
    threads::keep_denormals();
    threads::bind_this_thread(0);
  }
  void TearDown() override {
    threads::keep_denormals();
    threads::unbind_this_thread();
  }
};

TEST_F(Threads, AreBoundAndUnbound) {
  for (const int k : {0, 1, 5}) {
    ASSERT_TRUE(threads::bind_this_thread(k));
    EXPECT_EQ(look().processors, bound_to(k));
    EXPECT_FALSE(look().flushes);
  }
  ASSERT_TRUE(threads::unbind_this_thread());
  EXPECT_EQ(look().processors, threads::processors());
}

TEST_F(Threads, MakeWayWithoutBeingBound) {
  if (threads::processors().size() < 2) GTEST_SKIP() << "one processor";
  const int here = threads::processors()[1];
  ASSERT_TRUE(threads::bind_this_thread(1));
  EXPECT_FALSE(threads::make_way_on(here));
  EXPECT_EQ(threads::this_processor(), here) << "a bound thread stays";
  ASSERT_TRUE(threads::unbind_this_thread());
  // Where it is now is not known: it may have been moved already.
  const int now = threads::this_processor();
  EXPECT_TRUE(threads::make_way_on(now));
  EXPECT_EQ(look().processors, threads::processors());
}

TEST_F(Threads, HaveAllProcessorsWhereverTheCallerIsBound) {
  const int all = static_cast<int>(threads::processors().size());
  ASSERT_TRUE(threads::bind_this_thread(0));
  EXPECT_FALSE(threads::more_than_processors(all));
  EXPECT_TRUE(threads::more_than_processors(all + 1));
  ASSERT_TRUE(threads::unbind_this_thread());
}

TEST(IdlePool, GivesWhatWasUsedLastFirst) {
  using Pool = threads::IdlePool<int>;
  Pool pool;
  for (const int name : {1, 2, 3}) pool.add(std::make_unique<int>(name));
  const auto next = [&] { return *Pool::Lease(pool); };
  const int first = next();
  EXPECT_EQ(next(), first) << "one call after another";
  int second = 0, third = 0;
  {
    const Pool::Lease a(pool);
    EXPECT_EQ(*a, first);
    const Pool::Lease b(pool);
    second = *b;
    {
      const Pool::Lease c(pool);
      third = *c;
      EXPECT_EQ((std::set{first, second, third}), (std::set{1, 2, 3})) << "one for each at a time";
    }
    EXPECT_EQ(next(), third);
  }
  // Given back in this order: the third, the second, the first.
  EXPECT_EQ(next(), first);
  EXPECT_EQ(*pool.remove(), third) << "who goes takes the one used longest ago";
  pool.add(std::make_unique<int>(4));
  EXPECT_EQ(next(), first) << "a new one is not what threads are waiting in";
  EXPECT_EQ(*pool.remove(), 4);
  EXPECT_EQ(*pool.remove(), second);
  EXPECT_EQ(next(), first);
  EXPECT_EQ(*pool.remove(), first);
}

#if defined(__SSE2__) || defined(__aarch64__)
TEST_F(Threads, KeepDenormals) {
  EXPECT_FALSE(threads::denormals_flushed());
  volatile float tiny = 1e-40F;
  EXPECT_NE(tiny * 1.0F, 0.0F);
}
#endif

#if defined(__SSE2__)
TEST_F(Threads, TellWhetherDenormalsAreFlushed) {
  for (const unsigned mode : {0x8000U, 0x0040U}) {
    _mm_setcsr(_mm_getcsr() | mode);
    EXPECT_TRUE(threads::denormals_flushed());
    threads::keep_denormals();
    EXPECT_FALSE(threads::denormals_flushed());
  }
}
#endif

#ifdef BPTT_HAS_OPENMP
constexpr int count = 3;

std::vector<Found> openmp_team(bool bind) {
  std::vector<Found> found(count);
  const threads::OpenMpThreads team(count, bind);
  team.run([&](int k) { found[static_cast<std::size_t>(k)] = look(); });
  return found;
}

TEST_F(Threads, OfOpenMpAreWhereTheyAreToldToBe) {
  for (const bool bind : {true, false, true}) {
    const auto found = openmp_team(bind);
    for (int k = 0; k < count; ++k) {
      // The caller stays where it is.
      EXPECT_EQ(found[static_cast<std::size_t>(k)].processors,
                bind || k == 0 ? bound_to(k) : threads::processors());
      EXPECT_FALSE(found[static_cast<std::size_t>(k)].flushes);
    }
  }
}

#if defined(__SSE2__)
TEST_F(Threads, OfOpenMpTreatDenormalsAsTheCallerDoesNow) {
  // A pool that was started by somebody who flushes does so until it is told otherwise.
  for (const bool flush : {true, false, true, false}) {
    if (flush) {
      _mm_setcsr(_mm_getcsr() | 0x8040U);
    } else {
      threads::keep_denormals();
    }
    for (const Found& one : openmp_team(true)) EXPECT_EQ(one.flushes, flush);
  }
}
#endif
#endif

#ifdef BPTT_HAS_FUSED
TEST_F(Threads, OfOneTbbAreBoundAndKeepDenormals) {
  constexpr int wanted = 2;
  fused::Team team({.threads = wanted, .bind_threads = true});
  bool all_came = false;
  // oneTBB does not promise that they come to every call.
  for (int call = 0; call < 1000 && !all_came; ++call) {
    std::vector<Found> found(wanted);
    int came = 0;
    team.run([&](const fused::Member& member) {
      found[static_cast<std::size_t>(member.rank())] = look();
      if (member.rank() == 0) came = member.size();
    });
    if (came < wanted) continue;
    all_came = true;
    for (int k = 0; k < wanted; ++k) {
      EXPECT_EQ(found[static_cast<std::size_t>(k)].processors, bound_to(k));
      EXPECT_FALSE(found[static_cast<std::size_t>(k)].flushes);
    }
  }
  if (!all_came) GTEST_SKIP() << "oneTBB never gave two threads";
}
#endif

}  // namespace
}  // namespace bptt
