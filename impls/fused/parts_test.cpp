// Who gets which sequence, and which rows live.
#include "impls/fused/parts.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace bptt::fused {
namespace {

struct Fixture {
  Fixture(Index T, Index B, Index count)
      : shape{T, B, 1, 1},
        bookings(Parts::book(layout, shape, count, T * B)),
        workspace(layout),
        parts(workspace, bookings, shape, count) {}
  void assign(const std::vector<Index>& lengths) {
    parts.assign(lengths);
    parts.hold(0, shape.T, false);
  }
  Index all_rows(Index part) const { return parts.offset(part, shape.T); }

  Shape shape;
  schedule::WorkspaceLayout layout;
  Parts::Bookings bookings;
  schedule::Workspace workspace;
  Parts parts;
};

TEST(Parts, AreRangesOfTheBatchWithoutLengths) {
  Fixture f(4, 7, 3);
  f.assign({});
  EXPECT_EQ(f.parts.sequences(0), 3);
  EXPECT_EQ(f.parts.sequences(2), 2);
  EXPECT_EQ(f.parts.sequence(1, 0), 3);
  EXPECT_EQ(f.parts.sequence(2, 1), 6);
  EXPECT_EQ(f.parts.rows(1, 3), 2);
  EXPECT_EQ(f.parts.rows(1, 4), 0);
  EXPECT_EQ(f.parts.offset(0, 2), 6);
  EXPECT_EQ(f.parts.tape_row(1, 1), 12 + 2);
}

TEST(Parts, ASequenceGoesWhereTheFewestRowsAre) {
  Fixture f(50, 4, 2);
  f.assign({10, 50, 30, 35});
  EXPECT_EQ(f.parts.sequence(0, 0), 1);
  EXPECT_EQ(f.parts.sequence(0, 1), 0);
  EXPECT_EQ(f.parts.sequence(1, 0), 3);
  EXPECT_EQ(f.parts.sequence(1, 1), 2);
  EXPECT_EQ(f.all_rows(0), 60);
  EXPECT_EQ(f.all_rows(1), 65);
}

TEST(Parts, NoneGetsMoreThanWithoutLengths) {
  Fixture f(50, 7, 2);
  f.assign({5, 50, 5, 6, 9, 10, 8});
  EXPECT_EQ(f.all_rows(0), 50 + 6 + 5 + 5);  // the others' three places are taken by then
  EXPECT_EQ(f.all_rows(1), 10 + 9 + 8);
}

TEST(Parts, OfAnyLengthsHoldEachSequenceOnce) {
  for (const Index count : {1, 2, 3, 8}) {
    for (const Index B : {8, 19}) {
      constexpr Index T = 9;
      Fixture f(T, B, count);
      std::vector<Index> lengths;
      for (Index b = 0; b < B; ++b) lengths.push_back(b * b * 7 % (T + 1));
      // Twice: nothing of the first time may be left.
      f.assign(std::vector<Index>(static_cast<std::size_t>(B), T - 1));
      f.assign(lengths);
      std::set<Index> seen;
      const Index* source = f.parts.source();
      for (Index part = 0; part < count; ++part) {
        std::vector<Index> own;
        for (Index row = 0; row < f.parts.sequences(part); ++row) {
          const Index b = f.parts.sequence(part, row);
          seen.insert(b);
          own.push_back(lengths[static_cast<std::size_t>(b)]);
        }
        EXPECT_TRUE(std::is_sorted(own.rbegin(), own.rend()));
        EXPECT_EQ(f.all_rows(part), std::accumulate(own.begin(), own.end(), Index{0}));
        for (Index t = 0; t < T; ++t) {
          const auto longer = std::count_if(own.begin(), own.end(), [&](Index n) { return n > t; });
          ASSERT_EQ(f.parts.rows(part, t), longer) << part << " " << t;
          for (Index row = 0; row < longer; ++row) {
            ASSERT_EQ(*source++, t * B + f.parts.sequence(part, row));
          }
        }
      }
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(B));
    }
  }
}

}  // namespace
}  // namespace bptt::fused
