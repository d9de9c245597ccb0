// Verdicts over trainings, by made-up curves.
#include "bench/char_lm/judgement.hpp"

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
  EXPECT_TRUE(judge(students, CurveBound(falling(2), falling(2)), {}));
  EXPECT_EQ(students[0].complaint, "");
}

TEST(Judgement, AnotherCurveIsWrongWhereverItWasCompared) {
  Curve off = falling(2);
  off[7] += 1e-3;
  auto students = student(off);
  EXPECT_FALSE(judge(students, CurveBound(falling(2), falling(2)), {}));
  EXPECT_THAT(students[0].complaint, HasSubstr("disagrees with the reference from step 7"));
  EXPECT_TRUE(students[0].verdict.failed());
  students = student(off);
  EXPECT_TRUE(judge(students, std::nullopt, {}));
  EXPECT_FALSE(students[0].verdict.failed());
}

TEST(Judgement, WhatDoesNotFallIsNotSoundUnlessItNeedNot) {
  const auto sound = [](const JudgeOptions& options) {
    auto students = student(falling(3.9));
    return judge(students, std::nullopt, options);
  };
  EXPECT_FALSE(sound({}));
  EXPECT_TRUE(sound({.interrupted = true}));
  EXPECT_TRUE(sound({.loaded = true}));
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
