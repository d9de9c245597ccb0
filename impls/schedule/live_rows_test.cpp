#include "impls/schedule/live_rows.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace bptt::schedule {
namespace {

struct Fixture {
  Fixture(Index T, Index first, Index rows)
      : bookings(LiveRows::book(layout, T, rows)),
        workspace(layout),
        live(workspace, bookings, T, first, rows) {}
  WorkspaceLayout layout;
  LiveRows::Bookings bookings;
  Workspace workspace;
  LiveRows live;
};

TEST(LiveRows, WithoutLengthsEveryRowLives) {
  Fixture f(4, 2, 3);
  EXPECT_TRUE(f.live.dense());
  EXPECT_EQ(f.live.total(), 12);
  EXPECT_EQ(f.live.order(0), 2);
  EXPECT_EQ(f.live.count(3), 3);
  EXPECT_EQ(f.live.count(4), 0);
  EXPECT_EQ(f.live.offset(2), 6);
}

TEST(LiveRows, LongestFirstAndPacked) {
  Fixture f(5, 1, 4);
  const std::vector<Index> lengths = {9, 2, 0, 5, 2, 9};  // the block: 2, 0, 5, 2
  f.live.assign(lengths);
  EXPECT_FALSE(f.live.dense());
  EXPECT_EQ(f.live.order(0), 3);
  EXPECT_EQ(f.live.order(1), 1) << "equal lengths keep their order";
  EXPECT_EQ(f.live.order(2), 4);
  EXPECT_EQ(f.live.order(3), 2);
  const std::vector<Index> counts = {3, 3, 1, 1, 1}, offsets = {0, 3, 6, 7, 8, 9};
  for (Index t = 0; t < 5; ++t) EXPECT_EQ(f.live.count(t), counts[static_cast<std::size_t>(t)]);
  for (Index t = 0; t <= 5; ++t) EXPECT_EQ(f.live.offset(t), offsets[static_cast<std::size_t>(t)]);
}

TEST(LiveRows, ManyInTheWorstOrder) {
  constexpr Index T = 7, rows = 100'000;
  Fixture f(T, 0, rows);
  std::vector<Index> lengths;
  for (Index row = 0; row < rows; ++row) lengths.push_back(row * (T + 1) / rows);  // ascending
  f.live.assign(lengths);
  for (Index row = 1; row < rows; ++row) {
    const Index before = lengths[static_cast<std::size_t>(f.live.order(row - 1))];
    const Index here = lengths[static_cast<std::size_t>(f.live.order(row))];
    ASSERT_GE(before, here);
    if (before == here) {
      ASSERT_LT(f.live.order(row - 1), f.live.order(row));
    }
  }
  EXPECT_EQ(f.live.count(0), rows - rows / (T + 1));
  EXPECT_EQ(f.live.count(T - 1), rows / (T + 1));
}

TEST(LiveRows, NoneAlive) {
  Fixture f(3, 0, 2);
  const std::vector<Index> lengths = {0, 0};
  f.live.assign(lengths);
  EXPECT_EQ(f.live.total(), 0);
  EXPECT_EQ(f.live.count(0), 0);
}

TEST(LiveRows, FullLengthsAreDense) {
  Fixture f(3, 0, 2);
  f.live.assign(std::vector<Index>{3, 1});
  f.live.assign(std::vector<Index>{3, 3});
  EXPECT_TRUE(f.live.dense());
  EXPECT_EQ(f.live.order(1), 1);
}

TEST(Workspace, BookingsDoNotOverlapAndAreAligned) {
  WorkspaceLayout layout;
  const auto a = layout.book<char>(1);
  const auto b = layout.book<double>(3);
  const Booking<float> none;
  EXPECT_EQ(layout.bytes(), 128U);
  const Workspace workspace(layout);
  EXPECT_EQ(reinterpret_cast<char*>(workspace.at(b)) - workspace.at(a), 64);
  EXPECT_EQ(workspace.at(none), nullptr);
}

TEST(Workspace, RefusesSizesThatWrap) {
  WorkspaceLayout layout;
  EXPECT_THROW(layout.book<double>(Index{1} << 61), Error);
}

}  // namespace
}  // namespace bptt::schedule
