#include "bench/pace.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "bench/system.hpp"

namespace bptt::bench {
namespace {

/// Rates that a machine has one after the other.
std::function<double(int)> rates(std::vector<double> list) {
  return [list = std::move(list), k = std::size_t{0}](int) mutable { return list.at(k++); };
}

TEST(Pace, IsTheRateOverTheBestSoFar) {
  Pace pace(rates({80, 40, 100, 80}));
  EXPECT_EQ(pace(1), 1);
  EXPECT_EQ(pace(1), 0.5);
  EXPECT_EQ(pace(1), 1);
  EXPECT_EQ(pace(1), 0.8);
}

/// Fewer threads may make a processor faster.
TEST(Pace, ComparesEqualNumbersOfThreads) {
  Pace pace(rates({100, 60, 50, 60}));
  EXPECT_EQ(pace(1), 1);
  EXPECT_EQ(pace(2), 1);
  EXPECT_EQ(pace(1), 0.5);
  EXPECT_EQ(pace(2), 1);
}

/// A processor that has become warm, say, is no longer slow after a minute; however often it is
/// asked in between.
TEST(Pace, ForgetsWhatWasAMinuteAgo) {
  std::vector<double> list(1000, 50);
  list[0] = 100;
  double now = 7;
  Pace pace(rates(list), [&] { return now; });
  pace(1);
  for (int k = 1; k <= 600; ++k) {
    now = 7 + 0.1 * k;
    EXPECT_EQ(pace(1), 0.5) << now;
  }
  now = 67.01;
  EXPECT_EQ(pace(1), 1);
}

/// Two processors become two halves of one core before two threads are asked about.
TEST(Pace, TakesAlongWhatElseWillBeAskedFor) {
  double now = 0, of_two = 100;
  int rates_of_two = 0;
  const auto rate = [&](int threads) {
    if (threads == 2) ++rates_of_two;
    return threads == 2 ? of_two : 100;
  };
  Pace pace(rate, [&] { return now; }, {1, 2});
  for (int k = 0; k < 21; ++k, now += 0.1) EXPECT_EQ(pace(1), 1);
  EXPECT_EQ(rates_of_two, 4) << "not each time: it takes half a millisecond";
  of_two = 50;
  EXPECT_EQ(pace(1), 1);
  EXPECT_EQ(pace(2), 0.5);
}

TEST(Pace, OfThisMachine) {
  const int threads = usable_processors();
  Pace pace;
  for (const int count : {1, threads, threads + 1}) {
    for (int k = 0; k < 5; ++k) {
      const double now = pace(count);
      EXPECT_GT(now, 0) << count << " threads";
      EXPECT_LE(now, 1) << count << " threads";
    }
  }
}

}  // namespace
}  // namespace bptt::bench
