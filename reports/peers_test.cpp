// Ours against the peers, on made-up times.
#include "reports/peers.hpp"

#include <cmath>
#include <random>

#include <gmock/gmock.h>

#include "reports/markdown.hpp"
#include "reports/page.hpp"
#include "reports/sample_rows.hpp"

namespace bptt::report {
namespace {

using results::Row;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Six rounds of a backend, a little apart from each other.
void add(std::vector<Row>& rows, const std::string& backend, const std::string& origin,
         Index threads, Index T, double seconds) {
  for (Index k = 0; k < 6; ++k) {
    Row row = sample_row(backend, k, seconds * (1 + 0.001 * static_cast<double>(k % 3)));
    row.origin = origin;
    row.threads = threads;
    row.T = T;
    row.reorder_seconds = 0.25 * row.seconds.value();
    row.bound_seconds = 0.5 * seconds;
    rows.push_back(row);
  }
}

/// On one thread the peer takes 2 and 8 times as long as the fastest of ours; on two threads it is
/// the faster one in the first case, and ours is slower than on one.
Report sample() {
  std::vector<Row> rows;
  add(rows, "slow", "own", 1, 10, 3);
  add(rows, "quick", "own", 1, 10, 1);
  add(rows, "peer", "peer", 1, 10, 2);
  add(rows, "quick", "own", 1, 20, 1);
  add(rows, "peer", "peer", 1, 20, 8);
  add(rows, "quick", "own", 2, 10, 2);
  add(rows, "peer", "peer", 2, 10, 1.5);
  return report_of(study_of_rows(rows), "slow", {});
}

std::string text_of(const Words& words) {
  std::string text;
  for (const Text& part : words.parts) text += part.text;
  return text;
}

TEST(Peers, MeetTheFastestOfOursOnAsManyThreads) {
  const Report report = sample();
  const auto groups = peer_groups(report, "train_step");
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].title, "1 thread");
  ASSERT_EQ(groups[0].duels.size(), 2u);
  EXPECT_EQ(groups[0].duels[0].ours->backend, "quick");
  EXPECT_NEAR(groups[0].duels[0].ratio.value, 2, 0.01);
  EXPECT_EQ(groups[0].duels[0].ratio.pairs, 6u);
  EXPECT_NEAR(groups[0].duels[1].ratio.value, 8, 0.05);
  EXPECT_EQ(groups[1].title, "2 threads");
  EXPECT_NEAR(groups[1].duels[0].ratio.value, 0.75, 0.01);
  // Ours is best on one thread, the peer on two.
  const Duel& own = groups[2].duels[0];
  EXPECT_EQ(own.our_threads, 1);
  EXPECT_EQ(own.their_threads, 2);
  EXPECT_NEAR(own.ratio.value, 1.5, 0.01);
  EXPECT_EQ(own.ratio.pairs, 0u);
  EXPECT_LT(own.ratio.interval.low, own.ratio.interval.high);
}

TEST(Peers, OrTheOneThatIsNamed) {
  Report report = sample();
  report.ours = "slow";
  const auto groups = peer_groups(report, "train_step");
  ASSERT_EQ(groups.size(), 1u);
  ASSERT_EQ(groups[0].duels.size(), 1u) << "slow was measured in one case only";
  EXPECT_NEAR(groups[0].duels[0].ratio.value, 2.0 / 3, 0.01);
}

TEST(Peers, TheLuckOfWhoIsPickedIsNotSpeed) {
  // Four of ours and the peer are equally fast, and scatter by some percent.
  std::mt19937_64 random(1);
  const auto time = [&] { return 1 + 0.1 * static_cast<double>(random() >> 11) * 0x1p-53; };
  double counted = 0, of_the_luckiest = 0;
  constexpr int studies = 200;
  for (int study = 0; study < studies; ++study) {
    std::vector<Row> rows;
    for (Index k = 0; k < 7; ++k) {
      for (const char* backend : {"a", "b", "c", "d", "peer"}) {
        rows.push_back(sample_row(backend, k, time()));
        rows.back().origin = backend == std::string("peer") ? "peer" : "own";
      }
    }
    const Report report = report_of(study_of_rows(rows), "a", {});
    const auto groups = peer_groups(report, "train_step");
    const Duel& duel = groups.at(0).duels.at(0);
    EXPECT_EQ(duel.ratio.pairs, 7u);
    counted += duel.ratio.value / studies;
    of_the_luckiest += paired_ratio(*duel.theirs, *duel.ours).value / studies;
  }
  EXPECT_NEAR(counted, 1, 0.004);
  EXPECT_GT(of_the_luckiest, 1.01);
}

TEST(Peers, FewRoundsMakeNoWinner) {
  for (const Index rounds : {1, 2, 4}) {
    std::vector<Row> rows;
    for (const Index threads : {1, 2}) {
      for (Index k = 0; k < rounds; ++k) {
        // Ours is ten times as fast, best on one thread, the peer on two.
        for (const bool ours : {true, false}) {
          rows.push_back(sample_row(
              ours ? "quick" : "peer", k,
              ours ? 0.1 * static_cast<double>(threads) : 1 / static_cast<double>(threads)));
          rows.back().origin = ours ? "own" : "peer";
          rows.back().threads = threads;
        }
      }
    }
    const Report report = report_of(study_of_rows(rows), "quick", {});
    const Table means = peer_means(report, "train_step");
    ASSERT_EQ(means.rows.size(), 3u);
    for (const auto& row : means.rows) {
      EXPECT_THAT(text_of(row[2]), HasSubstr("× (too few rounds)"));
      for (const Text& part : row[2].parts) {
        EXPECT_THAT(part.style, ::testing::AnyOf(Text::Style::plain, Text::Style::quiet));
      }
    }
    EXPECT_THAT(text_of(peer_verdicts(report, "train_step").at(0)), HasSubstr("too few rounds"));
    const Duel own = peer_groups(report, "train_step").back().duels.at(0);
    EXPECT_EQ(own.our_threads, 1);
    EXPECT_EQ(own.their_threads, 2);
    EXPECT_EQ(own.ratio.verdict(), Ratio::Verdict::too_few);
    EXPECT_EQ(own.ratio.interval.coverage, 0);
    const Table cases = peer_cases(report, "train_step");
    for (const auto& row : cases.rows) {
      for (const Words& cell : row) {
        for (const Text& part : cell.parts) {
          EXPECT_NE(part.style, Text::Style::best) << part.text;
          EXPECT_NE(part.style, Text::Style::alarm) << part.text;
        }
      }
    }
  }
}

TEST(Peers, MeansAreGeometricAndHaveIntervals) {
  const Table means = peer_means(sample(), "train_step");
  ASSERT_EQ(means.rows.size(), 3u);
  EXPECT_EQ(text_of(means.rows[0][0]), "1 thread");
  EXPECT_THAT(text_of(means.rows[0][2]), HasSubstr("4.00"));  // sqrt(2 * 8)
  EXPECT_EQ(text_of(means.rows[0][3]), "2");
  const auto sentences = peer_verdicts(sample(), "train_step");
  ASSERT_EQ(sentences.size(), 1u);
  EXPECT_THAT(text_of(sentences[0]),
              AllOf(HasSubstr("The fastest of ours against peer: 4.00"),
                    HasSubstr("as fast with 1 thread (2 cases)"),
                    HasSubstr("0.750× (0.750–0.750) with 2 threads (1 case)")));
}

TEST(Peers, EachCaseTellsBothTimesTheBoundAndTheReordering) {
  const Table cases = peer_cases(sample(), "train_step");
  ASSERT_EQ(cases.rows.size(), 5u);
  std::string row;
  for (const Words& cell : cases.rows[0]) row += text_of(cell) + "|";
  EXPECT_THAT(row,
              AllOf(HasSubstr("quick|1.00 s"), HasSubstr("|50 %|"), HasSubstr("2.00 s|25 %|")));
}

TEST(Peers, WhatIsNotVerifiedHasNoDuel) {
  std::vector<Row> rows;
  add(rows, "quick", "own", 1, 10, 1);
  add(rows, "peer", "peer", 1, 10, 2);
  for (Row& row : rows) {
    if (row.backend == "peer") row.verified = "failed";
  }
  EXPECT_TRUE(peer_groups(report_of(study_of_rows(rows), "", {}), "train_step").empty());
}

TEST(Peers, StandInPageAndMarkdownOnlyWhereThereAreSome) {
  const Report report = sample();
  EXPECT_THAT(markdown_summary(report),
              AllOf(HasSubstr("## Against the peers, train_step"), HasSubstr("case by case")));
  EXPECT_THAT(html_page(report), HasSubstr("<section id=\"peers\">"));
  const Json data = chart_data(report);
  ASSERT_EQ(data["peers"].size(), 3u);
  EXPECT_NEAR(data["peers"][0]["cases"][0]["gains"]["peer"][0].get<double>(), 2, 0.01);
  std::vector<Row> rows;
  add(rows, "quick", "own", 1, 10, 1);
  const Report alone = report_of(study_of_rows(rows), "", {});
  EXPECT_THAT(markdown_summary(alone), Not(HasSubstr("Against the peers")));
  EXPECT_THAT(html_page(alone), Not(HasSubstr("<section id=\"peers\">")));
}

TEST(GeometricMean, CoversTheRatioThatTheRoundsScatterAround) {
  // 200 studies of three cases, seven rounds each, around ratios 1, 2 and 4: mean 2.
  std::mt19937_64 random(1);
  const auto noise = [&] {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random() >> 11) * 0x1p-53;
    return std::exp(0.05 * (sum - 6));
  };
  int covered = 0;
  constexpr int studies = 200;
  for (int study = 0; study < studies; ++study) {
    std::vector<RatioData> cases;
    for (const double ratio : {1.0, 2.0, 4.0}) {
      RatioData data;
      for (int round = 0; round < 7; ++round) {
        data.numerator.push_back(ratio * noise());
        data.denominator.push_back(1);
      }
      cases.push_back(data);
    }
    const GeometricMean mean = geometric_mean(cases);
    EXPECT_LE(mean.low, mean.value);
    EXPECT_GE(mean.high, mean.value);
    if (mean.low <= 2 && 2 <= mean.high) ++covered;
  }
  EXPECT_GE(covered, studies * 88 / 100);
  EXPECT_LT(covered, studies) << "an interval that always covers says nothing";
}

TEST(GeometricMean, OfPairedRoundsIsThatOfTheirRatios) {
  // The machine drifts threefold; the ratio is 2 in every round.
  const GeometricMean paired = geometric_mean({{{2, 4, 6, 8, 10}, {1, 2, 3, 4, 5}, true}});
  EXPECT_EQ(paired.low, 2);
  EXPECT_EQ(paired.high, 2);
  const GeometricMean unpaired = geometric_mean({{{2, 4, 6, 8, 10}, {1, 2, 3, 4, 5}, false}});
  EXPECT_EQ(unpaired.value, 2);
  EXPECT_LT(unpaired.low, 2);
  EXPECT_GT(unpaired.high, 2);
}

TEST(GeometricMean, HasNoIntervalWhereACaseHasTooFewRounds) {
  const RatioData six{{2, 2, 2, 2, 2, 2}, {1, 1, 1, 1, 1, 1}, true}, one{{8}, {1}, true};
  const GeometricMean mean = geometric_mean({six, one});
  EXPECT_DOUBLE_EQ(mean.value, 4);
  EXPECT_EQ(mean.rounds, 1u);
  EXPECT_FALSE(mean.has_interval());
  EXPECT_EQ(mean.low, 0);
  EXPECT_GT(mean.high, 1e300);
  EXPECT_TRUE(geometric_mean({six}).has_interval());
}

}  // namespace
}  // namespace bptt::report
