#include "bench/undisturbed.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

/// A host that takes away what it is told to, in each measurement; each returns its number.
struct Host {
  explicit Host(std::vector<double> takes_away) : takes(std::move(takes_away)) {}
  int measure(int stop_after = 100) {
    return undisturbed(
        2,
        [&] {
          taken += takes.at(static_cast<std::size_t>(made));
          return made++;
        },
        [&] { return made >= stop_after; });
  }
  std::vector<double> takes;
  double taken = 100;
  int made = 0;
  Undisturbed undisturbed{[this] { return taken; }};
};

TEST(Undisturbed, MeasuresOnceWhereNothingIsTakenAway) {
  Host host({0});
  EXPECT_EQ(host.measure(), 0);
  EXPECT_EQ(host.undisturbed.measurements(), 1);
  EXPECT_EQ(host.undisturbed.repeated(), 0);
  EXPECT_EQ(host.undisturbed.disturbed(), 0);
}

TEST(Undisturbed, MeasuresAgainUntilNothingIs) {
  Host host({3, 5, 0, 0});
  EXPECT_EQ(host.measure(), 2);
  EXPECT_EQ(host.made, 3);
  EXPECT_EQ(host.undisturbed.repeated(), 1);
  EXPECT_EQ(host.undisturbed.disturbed(), 0);
}

TEST(Undisturbed, TakesTheLeastDisturbedInTheEnd) {
  // So much that what little time passes does not decide.
  Host host({2e9, 3e9, 1, 3e9, 3e9, 0});
  EXPECT_EQ(host.measure(), 2);
  EXPECT_EQ(host.made, 5);
  EXPECT_EQ(host.undisturbed.repeated(), 1);
  EXPECT_EQ(host.undisturbed.disturbed(), 1);
  EXPECT_EQ(host.measure(), 5);
  EXPECT_EQ(host.undisturbed.measurements(), 2);
}

TEST(Undisturbed, StopsWhenItIsToldTo) {
  Host host({5, 5, 5});
  EXPECT_EQ(host.measure(1), 0);
  EXPECT_EQ(host.made, 1);
}

TEST(Undisturbed, TheSystemTellsWhatWasTaken) {
  const double now = stolen_seconds();
  EXPECT_GE(now, 0);
  EXPECT_GE(stolen_seconds(), now);
}

}  // namespace
}  // namespace bptt::bench
