// Rows into measurements, rankings, sweeps and trainings.
#include "reports/study.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "impls/api/error.hpp"
#include "reports/ranking.hpp"
#include "reports/sample_rows.hpp"
#include "reports/sweep.hpp"
#include "reports/training.hpp"

namespace bptt::report {
namespace {

using results::Row;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Outcome = Ranking::Outcome;

TEST(Study, SummarisesRepetitions) {
  std::vector<Row> rows;
  append(rows, "tbb", {2, 1, 9, 3, 2.5});
  const Study study = study_of_rows(rows);
  ASSERT_EQ(study.cases.size(), 1u);
  const Measurement& m = study.cases[0].measurements.at(0);
  EXPECT_EQ(m.repetitions(), 5u);
  EXPECT_EQ(m.median, 2.5);
  EXPECT_EQ(m.minimum, 1);
  EXPECT_EQ(m.maximum, 9);
  EXPECT_EQ(m.deviation, 0.5);
  EXPECT_DOUBLE_EQ(*m.gflops(), 0.8);
  EXPECT_DOUBLE_EQ(*m.fraction_of_peak(), 0.08);
}

TEST(Study, KeepsCasesApartThatDifferInAnything) {
  const std::vector<void (*)(Row&)> changes = {[](Row& r) { r.T = 11; },
                                               [](Row& r) { r.B = 5; },
                                               [](Row& r) { r.I = 9; },
                                               [](Row& r) { r.H = 9; },
                                               [](Row& r) { r.layers = 2; },
                                               [](Row& r) { r.directions = 2; },
                                               [](Row& r) { r.threads = 2; },
                                               [](Row& r) { r.cell = "gru"; },
                                               [](Row& r) { r.options = "x=y"; },
                                               [](Row& r) { r.dtype = "f64"; },
                                               [](Row& r) { r.phase = "forward"; },
                                               [](Row& r) { r.workload = "char-lm"; },
                                               [](Row& r) { r.host = "other"; }};
  std::vector<Row> rows = {sample_row("tbb")};
  for (const auto change : changes) change(rows.emplace_back(sample_row("tbb")));
  EXPECT_EQ(study_of_rows(rows).cases.size(), changes.size() + 1);
}

TEST(Study, AMeasurementIsAsGoodAsItsWorstRow) {
  const auto verified = [](const std::vector<std::string>& verdicts) {
    std::vector<Row> rows;
    for (const std::string& verdict : verdicts) {
      rows.push_back(sample_row("tbb", static_cast<Index>(rows.size())));
      rows.back().verified = verdict;
    }
    const Measurement m = study_of_rows(rows).cases[0].measurements[0];
    return m.verified + (m.may_be_ranked() ? " ranked" : "");
  };
  EXPECT_EQ(verified({"full", "full"}), "full ranked");
  EXPECT_EQ(verified({"reduced", "full"}), "reduced ranked");
  EXPECT_EQ(verified({"full", "no"}), "no");
  EXPECT_EQ(verified({"failed", "full", "no"}), "failed");
  EXPECT_EQ(verified({""}), "no");
}

TEST(Study, NaNIsTheLargestError) {
  std::vector<Row> rows;
  for (const double error : {1.0, std::nan(""), 3.0}) {
    rows.push_back(sample_row("tbb", static_cast<Index>(rows.size())));
    rows.back().max_error = error;
  }
  EXPECT_TRUE(std::isnan(*study_of_rows(rows).cases[0].measurements[0].max_error));
}

TEST(Study, RefusesTheSameRepetitionTwice) {
  try {
    study_of_rows({sample_row("tbb", 0), sample_row("blas", 0), sample_row("tbb", 0)});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_STREQ(error.what(),
                 "r.csv:4: column 'repetition': expected each repetition of a measurement once; "
                 "got repetition 0 again, after r.csv:2");
  }
}

TEST(Study, SetsRefusalsApart) {
  Row refused = sample_row("blas");
  refused.seconds.reset();
  refused.note = "refused: no memory";
  const Study study = study_of_rows({sample_row("tbb"), refused});
  EXPECT_THAT(study.backends, ElementsAre("tbb", "blas"));
  ASSERT_EQ(study.cases.size(), 1u);
  EXPECT_EQ(study.cases[0].measurements.size(), 1u);
  ASSERT_EQ(study.refusals.size(), 1u);
  EXPECT_EQ(study.refusals.begin()->reason, "no memory");
}

TEST(PairedRatio, HoldsWhereTheMachineDrifts) {
  // Times drift fivefold over the rounds; the ratio within each is 2 all the same.
  std::vector<Row> rows;
  append(rows, "a", {2, 4, 6, 8, 10});
  append(rows, "b", {1, 2, 3, 4, 5});
  const Study study = study_of_rows(rows);
  const CaseResult& result = study.cases[0];
  const Ratio ratio = paired_ratio(*result.find("a"), *result.find("b"));
  EXPECT_EQ(ratio.value, 2);
  EXPECT_EQ(ratio.interval.low, 2);
  EXPECT_EQ(ratio.interval.high, 2);
  EXPECT_EQ(ratio.pairs, 5u);
  EXPECT_EQ(ratio.verdict(), Ratio::Verdict::above);
}

TEST(PairedRatio, PairsByRepetitionNotByOrder) {
  std::vector<Row> rows;
  append(rows, "a", {1, 2, 4});
  append(rows, "b", {1, 2, 4});
  rows.erase(rows.begin() + 3);  // b has no repetition 0
  const Study study = study_of_rows(rows);
  const Ratio ratio = paired_ratio(*study.cases[0].find("a"), *study.cases[0].find("b"));
  EXPECT_EQ(ratio.pairs, 2u);
  EXPECT_EQ(ratio.value, 1);
}

TEST(PairedRatio, OfOtherRunsIsNotPaired) {
  std::vector<Row> rows;
  append(rows, "a", {2, 2, 2, 2, 2, 2});
  append(rows, "b", {1, 1, 1, 1, 1, 1});
  for (std::size_t i = 6; i < rows.size(); ++i) rows[i].run_id = "another";
  const Study study = study_of_rows(rows);
  const Ratio ratio = paired_ratio(*study.cases[0].find("a"), *study.cases[0].find("b"));
  EXPECT_EQ(ratio.pairs, 0u);
  EXPECT_EQ(ratio.value, 2);
  EXPECT_EQ(ratio.verdict(), Ratio::Verdict::too_few);
}

Ranking ranking_of(const std::vector<std::pair<std::string, std::vector<double>>>& times,
                   const std::string& failed = "") {
  std::vector<Row> rows;
  for (const auto& [backend, seconds] : times) append(rows, backend, seconds);
  for (Row& row : rows) {
    if (row.backend == failed) row.verified = "failed";
  }
  static Study kept;  // the ranking points into it
  kept = study_of_rows(rows);
  return rank(kept.cases[0]);
}

TEST(Rank, AClearWinner) {
  const Ranking r =
      ranking_of({{"a", {9, 9, 9, 9, 9}}, {"b", {1, 1, 1, 1, 1}}, {"c", {2, 2, 2, 2, 2}}});
  EXPECT_EQ(r.outcome, Outcome::clear);
  EXPECT_EQ(r.leader->backend, "b");
  EXPECT_EQ(r.next->backend, "c");
  EXPECT_EQ(r.margin.value, 2);
}

TEST(Rank, TooCloseWhereTheIntervalHoldsOne) {
  const Ranking r = ranking_of(
      {{"a", {10, 10, 10, 10, 10}}, {"b", {9, 9, 9, 9, 11}}, {"c", {30, 30, 30, 30, 30}}});
  EXPECT_EQ(r.outcome, Outcome::too_close);
  ASSERT_EQ(r.contenders.size(), 2u);
  EXPECT_EQ(r.contenders[0]->backend, "b");
  EXPECT_EQ(r.contenders[1]->backend, "a");
}

TEST(Rank, TooFewRoundsToBeSure) {
  const Ranking r = ranking_of({{"a", {2, 2, 2, 2}}, {"b", {1, 1, 1, 1}}});
  EXPECT_EQ(r.outcome, Outcome::too_few);
  EXPECT_EQ(r.leader->backend, "b");
}

TEST(Rank, TheFastestIsNotRankedWhereItFailedVerification) {
  const Ranking r =
      ranking_of({{"a", {2, 2, 2, 2, 2}}, {"b", {1, 1, 1, 1, 1}}, {"c", {3, 3, 3, 3, 3}}}, "b");
  EXPECT_EQ(r.outcome, Outcome::clear);
  EXPECT_EQ(r.leader->backend, "a");
  EXPECT_EQ(ranking_of({{"a", {2}}, {"b", {1}}}, "b").outcome, Outcome::alone);
  EXPECT_EQ(ranking_of({{"b", {1}}}, "b").outcome, Outcome::none);
}

TEST(Speedup, IsThatOfVerifiedBackendsOverTheBaseline) {
  std::vector<Row> rows;
  append(rows, "base", {6, 6, 6, 6, 6});
  append(rows, "fast", {2, 2, 2, 2, 2});
  append(rows, "wrong", {1, 1, 1, 1, 1});
  for (Row& row : rows) row.verified = row.backend == "wrong" ? "no" : "reduced";
  const Study study = study_of_rows(rows);
  EXPECT_EQ(speedup(study, study.cases[0], "fast", "base")->value, 3);
  EXPECT_FALSE(speedup(study, study.cases[0], "wrong", "base"));
  EXPECT_FALSE(speedup(study, study.cases[0], "fast", "absent"));
}

TEST(Speedup, ABaselineWithOneThreadStandsInForMoreThreads) {
  std::vector<Row> rows;
  append(rows, "base", {6, 6, 6, 6, 6});
  append(rows, "fast", {2, 2, 2, 2, 2});
  for (std::size_t i = 5; i < rows.size(); ++i) rows[i].threads = 3;
  const Study study = study_of_rows(rows);
  ASSERT_EQ(study.cases[1].key.threads, 3);
  const auto gain = speedup(study, study.cases[1], "fast", "base");
  ASSERT_TRUE(gain);
  EXPECT_EQ(gain->value, 3);
  EXPECT_EQ(gain->pairs, 0u) << "rounds of different cases are no pairs";
  EXPECT_FALSE(speedup(study, study.cases[0], "base", "fast")) << "more threads never stand in";
}

const Axis& axis(std::string_view name) {
  for (const Axis& one : axes()) {
    if (one.name == name) return one;
  }
  throw std::logic_error("no such axis");
}

TEST(Sweeps, GroupCasesThatDifferInOneExtent) {
  std::vector<Row> rows;
  for (const Index T : {100, 20, 3}) {
    for (const Index threads : {1, 2}) {
      rows.push_back(sample_row("tbb"));
      rows.back().T = T, rows.back().threads = threads;
    }
  }
  const Study study = study_of_rows(rows);
  const auto along_T = sweeps_along(axis("T"), study);
  ASSERT_EQ(along_T.size(), 2u);
  EXPECT_EQ(along_T[0].fixed(false), "B=4, I=H=8, threads=1");
  EXPECT_EQ(along_T[1].fixed(true), "host, B=4, I=H=8, threads=2");
  ASSERT_EQ(along_T[0].points.size(), 3u);
  EXPECT_EQ(along_T[0].points[0]->key.T, 3);
  EXPECT_EQ(along_T[0].points[2]->key.T, 100);
  EXPECT_EQ(sweeps_along(axis("threads"), study).size(), 3u);
  EXPECT_THAT(sweeps_along(axis("B"), study), IsEmpty()) << "one point is no sweep";
}

TEST(Sweeps, TheInputFollowsTheHiddenSizeWhereItDoesEverywhere) {
  std::vector<Row> rows;
  for (const auto& [I, H] : std::vector<std::pair<Index, Index>>{{8, 8}, {16, 16}, {8, 16}}) {
    rows.push_back(sample_row("tbb"));
    rows.back().I = I, rows.back().H = H;
  }
  const Study study = study_of_rows(rows);
  const auto found = sweeps_along(axis("H"), study);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0].input_follows_hidden, found[1].input_follows_hidden);
}

Row step(const std::string& backend, Index k, double loss) {
  Row row = sample_row(backend, k, k == 0 ? 5.0 : 1.0);
  row.workload = "char-lm";
  row.loss = loss;
  return row;
}

TEST(Trainings, KeepEveryStepAndFindTheLargestDistance) {
  const Study study = study_of_rows({step("a", 0, 3.0), step("a", 1, 2.0), step("a", 2, 1.0),
                                     step("b", 0, 3.0), step("b", 1, 2.25), step("b", 2, 1.125)});
  const auto trainings = trainings_of(study);
  ASSERT_EQ(trainings.size(), 1u);
  ASSERT_EQ(trainings[0].curves.size(), 2u);
  const Curve& a = trainings[0].curves[0];
  EXPECT_THAT(a.steps, ElementsAre(0, 1, 2));
  EXPECT_THAT(a.seconds, ElementsAre(5, 1, 1)) << "warm-up is not dropped";
  EXPECT_EQ(a.total_seconds(), 7);
  EXPECT_THAT(a.loss, ElementsAre(3, 2, 1));
  EXPECT_EQ(trainings[0].characters_per_step(), 40);
  ASSERT_TRUE(trainings[0].deviation);
  EXPECT_EQ(trainings[0].deviation->nats, 0.25);
  EXPECT_EQ(trainings[0].deviation->step, 1);
}

TEST(Trainings, OneThatDivergedIsInfinitelyFar) {
  const Study study =
      study_of_rows({step("a", 0, 3.0), step("b", 0, std::numeric_limits<double>::quiet_NaN())});
  EXPECT_EQ(trainings_of(study)[0].deviation->nats, std::numeric_limits<double>::infinity());
}

TEST(Trainings, OfTwoRunsAreTwoCurves) {
  Row other = step("a", 0, 3.0);
  other.run_id = "second";
  const auto trainings = [&] {
    static const Study study = study_of_rows({step("a", 0, 3.0), other});
    return trainings_of(study);
  }();
  ASSERT_EQ(trainings[0].curves.size(), 2u);
  EXPECT_EQ(trainings[0].name_of(trainings[0].curves[1]), "a (second)");
}

}  // namespace
}  // namespace bptt::report
