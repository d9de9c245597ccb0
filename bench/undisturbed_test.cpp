#include "bench/undisturbed.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

/// A host that takes seconds away and slows processors down as it is told to. Measurements return
/// their number and take a second, asking for the pace takes a tenth.
struct Host {
  int measure(int stop_after = 100) {
    return undisturbed(
        2,
        [&] {
          taken += at(takes, made, 0);
          ++seconds;
          return made++;
        },
        [&] { return made >= stop_after; });
  }
  /// Of a list of what happens, one after the other, and then `otherwise`.
  static double at(const std::vector<double>& list, int k, double otherwise) {
    const auto at = static_cast<std::size_t>(k);
    return at < list.size() ? list[at] : otherwise;
  }

  std::vector<double> takes = {};  ///< in each measurement
  std::vector<double> paces = {};  ///< each time it is asked
  double full_pace = 1;
  double seconds = 0, taken = 100;
  int made = 0, asked = 0;
  Undisturbed undisturbed{{
      .now = [this] { return seconds; },
      .stolen = [this] { return taken; },
      .pace =
          [this](int threads) {
            EXPECT_EQ(threads, 2);
            seconds += 0.1;
            return at(paces, asked++, full_pace);
          },
  }};
};

TEST(Undisturbed, MeasuresOnceWhereNothingIsTakenAway) {
  Host host;
  EXPECT_EQ(host.measure(), 0);
  EXPECT_EQ(host.made, 1);
  EXPECT_EQ(host.asked, 2) << "before and after";
  EXPECT_EQ(host.undisturbed.measurements(), 1);
  EXPECT_EQ(host.undisturbed.repeated(), 0);
  EXPECT_EQ(host.undisturbed.disturbed(), 0);
}

TEST(Undisturbed, ToleratesAHundredthOfAllProcessorsTime) {
  Host host{.takes = {0.0199}};
  EXPECT_EQ(host.measure(), 0);
  EXPECT_EQ(host.undisturbed.repeated(), 0);
  Host more{.takes = {0.0201}};
  EXPECT_EQ(more.measure(), 1);
  EXPECT_EQ(more.undisturbed.repeated(), 1);
}

TEST(Undisturbed, MeasuresAgainUntilNothingIsTakenAway) {
  Host host{.takes = {3, 5, 0, 0}};
  EXPECT_EQ(host.measure(), 2);
  EXPECT_EQ(host.made, 3);
  EXPECT_EQ(host.undisturbed.repeated(), 1);
  EXPECT_EQ(host.undisturbed.disturbed(), 0);
}

TEST(Undisturbed, TakesTheLeastDisturbedInTheEnd) {
  // Two quiet ones first, so that there is time for the others.
  Host host{.takes = {0, 0, 6, 9, 3, 9, 9, 0}};
  host.measure();
  host.measure();
  EXPECT_EQ(host.measure(), 4);
  EXPECT_EQ(host.made, 7);
  EXPECT_EQ(host.undisturbed.repeated(), 1);
  EXPECT_EQ(host.undisturbed.disturbed(), 1);
  EXPECT_EQ(host.measure(), 7);
  EXPECT_EQ(host.undisturbed.measurements(), 4);
}

TEST(Undisturbed, WaitsForTheFullPace) {
  Host host{.paces = {0.5, 0.6, 0.9}};
  EXPECT_EQ(host.measure(), 0);
  EXPECT_EQ(host.asked, 4) << "until it was 0.9, and after";
  EXPECT_EQ(host.undisturbed.repeated(), 0);
}

TEST(Undisturbed, MeasuresAgainWhatEndsAtALowPace) {
  Host host{.paces = {1, 0.7, 1, 1}};
  EXPECT_EQ(host.measure(), 1);
  EXPECT_EQ(host.undisturbed.repeated(), 1);
  EXPECT_EQ(host.undisturbed.disturbed(), 0);
}

TEST(Undisturbed, WaitsNoLongerThanASecond) {
  // Quiet ones first, so that there is time to wait.
  Host host{.paces = std::vector<double>(200, 1), .full_pace = 0.5};
  for (int k = 0; k < 100; ++k) host.measure();
  const double before = host.seconds;
  host.measure(1000);
  EXPECT_EQ(host.made, 105);
  EXPECT_NEAR(host.seconds - before, 5 * (1 + 1 + 0.2), 5 * 0.11);
}

/// But for the two seconds that it may take to begin with.
TEST(Undisturbed, WaitsAndRepeatsNoLongerThanItMeasures) {
  Host host{.full_pace = 0.5};
  constexpr int measurements = 50;
  for (int k = 0; k < measurements; ++k) host.measure();
  // Two probes belong to each measurement.
  EXPECT_LE(host.seconds, 2 + 2 * measurements + 0.2 * host.made + 0.11);
  EXPECT_GE(host.seconds, 2 * measurements);
  EXPECT_EQ(host.undisturbed.disturbed(), measurements);
  EXPECT_LT(host.undisturbed.repeated(), measurements) << "for most there was no time";
  EXPECT_GT(host.undisturbed.repeated(), 0);
}

TEST(Undisturbed, StopsWhenItIsToldTo) {
  Host host{.takes = {5, 5, 5}, .full_pace = 0.5};
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
