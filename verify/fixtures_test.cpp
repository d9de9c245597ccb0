#include "verify/fixtures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/program/exit_code.hpp"

namespace bptt::verify {
namespace {

Result result_of(CheckKind kind, Index slices, Index inconclusive) {
  Result result;
  result.kind = kind;
  result.subject = "a case";
  result.slices = slices;
  result.inconclusive_slices = inconclusive;
  conclude(result);
  return result;
}

TEST(Fixtures, MoreThanATwentiethInconclusiveFailsTheRun) {
  std::vector<Result> results = {result_of(CheckKind::equality, 1900, 20),
                                 result_of(CheckKind::equality, 100, 81)};
  EXPECT_EQ(exit_code_of(count(results), false), program::good);
  const auto verdict = judge_fixtures(results, 7);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->verdict, Verdict::fail);
  EXPECT_EQ(verdict->findings[0].check, "fixtures");
  EXPECT_THAT(verdict->findings[0].message,
              testing::HasSubstr(
                  "5.05% of the slices (101 of 2000) of equality in f64 are "
                  "inconclusive, more than 5%: the inputs are bad, most of all those of a case"));
  results.push_back(*verdict);
  EXPECT_EQ(exit_code_of(count(results), false), program::numerically_wrong);
}

TEST(Fixtures, ATwentiethIsAllowed) {
  EXPECT_FALSE(judge_fixtures({result_of(CheckKind::equality, 2000, 100)}, 1));
}

TEST(Fixtures, EachKindAndPrecisionIsJudgedAlone) {
  for (const CheckKind kind :
       {CheckKind::gradient, CheckKind::direction, CheckKind::property, CheckKind::values}) {
    EXPECT_TRUE(
        judge_fixtures({result_of(CheckKind::equality, 90000, 0), result_of(kind, 1000, 51)}, 1))
        << name_of(kind);
  }
  std::vector<Result> results = {result_of(CheckKind::equality, 90000, 0),
                                 result_of(CheckKind::equality, 1000, 51)};
  EXPECT_FALSE(judge_fixtures(results, 1));
  results[1].dtype = Dtype::f32;
  EXPECT_TRUE(judge_fixtures(results, 1));
}

TEST(Fixtures, NarrowRunsAreInconclusiveNotFailed) {
  EXPECT_FALSE(judge_fixtures({result_of(CheckKind::equality, least_slices - 1, 500)}, 1));
  EXPECT_TRUE(judge_fixtures({result_of(CheckKind::equality, least_slices, 500)}, 1));
  EXPECT_FALSE(judge_fixtures({}, 1));
}

TEST(Fixtures, GoldenFilesAreSomebodyElses) {
  EXPECT_FALSE(judge_fixtures({result_of(CheckKind::golden, 5000, 5000)}, 1));
  EXPECT_FALSE(judge_fixtures(
      {result_of(CheckKind::golden, 5000, 5000), result_of(CheckKind::equality, 2000, 10)}, 1));
}

}  // namespace
}  // namespace bptt::verify
