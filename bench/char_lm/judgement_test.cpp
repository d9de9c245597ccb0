// Verdicts over trainings, by made-up curves.
#include "bench/char_lm/judgement.hpp"

#include <cmath>
#include <sstream>

#include <gmock/gmock.h>

#include "impls/api/registry.hpp"

namespace bptt::bench {
namespace {

using ::testing::HasSubstr;

std::vector<Student> student(const Curve& losses) {
  std::vector<Student> students(1);
  students[0].backend = backends().front();
  students[0].losses = losses;
  for (std::size_t k = 0; k < losses.size(); ++k) {
    students[0].measurements.push_back({static_cast<Index>(k), 0.5, "", losses[k]});
  }
  return students;
}

Curve falling(double to) {
  Curve curve;
  for (int k = 0; k < 50; ++k) curve.push_back(4 + (to - 4) * k / 49);
  return curve;
}

TEST(Judgement, AFallingCurveThatIsTheReferencesIsSound) {
  auto students = student(falling(2));
  EXPECT_EQ(judge(students, CurveBound(falling(2), falling(2)), {}), Judgement::sound);
  EXPECT_EQ(students[0].complaint, "");
}

TEST(Judgement, AnotherCurveIsWrongWhereverItWasCompared) {
  Curve off = falling(2);
  off[7] += 1e-3;
  auto students = student(off);
  EXPECT_EQ(judge(students, CurveBound(falling(2), falling(2)), {}), Judgement::wrong);
  EXPECT_THAT(students[0].complaint, HasSubstr("disagrees with the reference from step 7"));
  EXPECT_TRUE(students[0].verdict.failed());
  students = student(off);
  EXPECT_EQ(judge(students, std::nullopt, {}), Judgement::sound);
  EXPECT_FALSE(students[0].verdict.failed());
}

TEST(Judgement, WhatDoesNotFallIsInconclusiveUnlessItNeedNot) {
  const auto judged = [](const JudgeOptions& options) {
    auto students = student(falling(3.9));
    const Judgement judgement = judge(students, std::nullopt, options);
    EXPECT_FALSE(students[0].verdict.failed()) << "no backend is to blame";
    return judgement;
  };
  EXPECT_EQ(judged({}), Judgement::inconclusive);
  EXPECT_EQ(judged({.interrupted = true}), Judgement::sound);
  EXPECT_EQ(judged({.loaded = true}), Judgement::sound);
}

TEST(Judgement, ADivergedTrainingIsWrongOnlyWhereTheReferenceIsFinite) {
  Curve diverged = falling(2);
  std::fill(diverged.begin() + 20, diverged.end(), -std::nan(""));
  const auto judged = [&](const std::optional<CurveBound>& bound) {
    auto students = student(diverged);
    const Judgement judgement = judge(students, bound, {.interrupted = true, .loaded = true});
    EXPECT_EQ(students[0].verdict.failed(), judgement == Judgement::wrong);
    return std::pair(judgement, students[0].complaint);
  };
  EXPECT_EQ(judged(CurveBound(diverged, diverged)),
            std::pair(Judgement::inconclusive,
                      std::string("the training diverged: loss nan at step 20")));
  EXPECT_EQ(judged(std::nullopt).first, Judgement::inconclusive);
  const auto [judgement, complaint] = judged(CurveBound(falling(2), falling(2)));
  EXPECT_EQ(judgement, Judgement::wrong);
  EXPECT_THAT(complaint, HasSubstr("from step 20: nan instead of"));
  EXPECT_THAT(chaos_of(CurveBound(diverged, diverged)),
              HasSubstr("from step 20 on the reference's loss is not finite"));
}

TEST(Judgement, TheTableSaysWhatWasCompared) {
  auto students = student(falling(2));
  std::ostringstream with, without;
  print_students(students, CurveBound(falling(2), falling(2)), 10, with);
  print_students(students, std::nullopt, 10, without);
  EXPECT_THAT(with.str(), HasSubstr("largest distance from"));
  EXPECT_THAT(without.str(), HasSubstr("not compared"));
  EXPECT_THAT(with.str(), HasSubstr(" 20 ")) << "10 characters in half a second";
}

TEST(MemoryBudget, CountsWhatGoesOnAtTheSameTime) {
  MemoryBudget budget(100);
  EXPECT_EQ(budget.take(60), "");
  EXPECT_THAT(budget.take(41), HasSubstr("needs 41 B beside the 60 B of the trainings"));
  EXPECT_EQ(budget.take(40), "") << "what was refused is not taken";
  EXPECT_NE(budget.take(1), "");
}

}  // namespace
}  // namespace bptt::bench
