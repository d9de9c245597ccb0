// The unit, the comparison in it, the verdicts that follow, and the search for a fault's time step.
#include "verify/tolerance.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/program/exit_code.hpp"
#include "verify/equality.hpp"
#include "verify/localise.hpp"
#include "verify/result.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

Spec small_spec() {
  Spec spec;
  spec.shape = {3, 2, 2, 2};
  return spec;
}

/// A tensor y of [3,2,2] that holds 1 everywhere, with units of 1e-3.
struct Ones {
  Spec spec = small_spec();
  TensorInfo info{"y", {3, 2, 2}};
  Tensor<double> expected{info.extents}, unit{info.extents};
  Tensor<float> got{info.extents};
  std::vector<Index> lengths;

  Ones() {
    for (Index e = 0; e < info.extents.size(); ++e) {
      expected.view()[e] = 1;
      unit.view()[e] = 1e-3;
      got.view()[e] = 1;
    }
  }
  TensorError compared(double resolution = 0.5) {
    return compare(spec, lengths, info, got.view(), View<const double>(expected.view()),
                   unit.view(), resolution);
  }
};

TEST(Compare, StatesTheWorstElementInUnitsAndWhereItIs) {
  Ones t;
  t.got.view()(1, 1, 0) = 1.01f;
  const TensorError error = t.compared();
  EXPECT_NEAR(error.worst, 10, 1e-3);
  EXPECT_EQ(to_string(error.place), "y t=1 batch 1 column 0");
  EXPECT_EQ(error.wrong, 0);
  EXPECT_FALSE(error.failed());
}

TEST(Compare, FailsBeyondTheLimitAndNamesTheSteps) {
  Ones t;
  t.got.view()(1, 0, 0) = t.got.view()(2, 0, 1) = 1 + 1.1e-3f * static_cast<float>(error_limit);
  const TensorError error = t.compared();
  EXPECT_EQ(error.wrong, 2);
  EXPECT_EQ(error.first_wrong_time, 1);
  EXPECT_EQ(error.last_wrong_time, 2);
  EXPECT_TRUE(error.failed());
}

TEST(Compare, NeverPassesWhatIsNotANumber) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    Ones t;
    t.got.view()[5] = bad;
    EXPECT_TRUE(t.compared().failed());
    // Nor where the expected value is the same, nor where the unit is.
    t.expected.view()[5] = bad;
    EXPECT_TRUE(t.compared().failed());
    t.unit.view()[5] = bad;
    EXPECT_TRUE(t.compared().failed());
  }
}

TEST(Compare, WantsExactZerosInPadding) {
  Ones t;
  t.spec.lengths = true;
  t.lengths = {3, 1};
  for (Index step : {1, 2}) {
    for (Index j : {0, 1}) t.got.view()(step, 1, j) = 0;
  }
  EXPECT_FALSE(t.compared().failed());
  EXPECT_EQ(t.compared().elements, 8);
  t.got.view()(2, 1, 1) = std::numeric_limits<float>::denorm_min();
  const TensorError error = t.compared();
  EXPECT_EQ(error.nonzero_padding, 1);
  EXPECT_EQ(to_string(error.padding_place), "y t=2 batch 1 column 1");
  EXPECT_TRUE(error.failed());
}

TEST(Compare, CountsSlicesWhoseSignalIsUnderTheNoise) {
  Ones t;
  EXPECT_EQ(t.compared().inconclusive_slices, 0);
  EXPECT_EQ(t.compared(/*resolution=*/1e-3).inconclusive_slices, 3);
  for (Index e = 0; e < 4; ++e) t.expected.view()[e] = t.got.view()[e] = 0;  // step 0: no signal
  EXPECT_EQ(t.compared().inconclusive_slices, 1);
}

TEST(Slices, AreTimeStepsGateBlocksAndStates) {
  const Spec spec = small_spec();
  EXPECT_EQ(slices_of(spec, {"x", {3, 2, 2}}).size(), 3u);
  const auto gates = slices_of(spec, {"weight_hh_l0", {8, 2}, true});
  ASSERT_EQ(gates.size(), 4u);
  EXPECT_EQ(gates[1].begin, 4);
  EXPECT_EQ(gates[1].gate, 1);
  EXPECT_EQ(slices_of(spec, {"h0", {2, 2}}).size(), 1u);
  EXPECT_TRUE(slices_of(spec, {"c0", {}}).empty());
  EXPECT_EQ(to_string(place_of(spec, {"weight_hh_l0", {8, 2}, true}, 7)),
            "grad.weight_hh_l0 gate f row 1 column 1");
}

TEST(Verdict, FollowsFromTheNumbers) {
  Result nothing;
  conclude(nothing);
  EXPECT_EQ(nothing.verdict, Verdict::inconclusive);
  Result result;
  result.slices = 3;
  conclude(result);
  EXPECT_EQ(result.verdict, Verdict::pass);
  result.inconclusive_slices = 1;
  conclude(result);
  EXPECT_EQ(result.verdict, Verdict::inconclusive);
  EXPECT_THAT(result.reason, testing::HasSubstr("1 of 3 slices"));
  result.findings.emplace_back();
  conclude(result);
  EXPECT_EQ(result.verdict, Verdict::fail);
}

TEST(ExitCode, SaysTheWorst) {
  Counts counts;
  EXPECT_EQ(exit_code_of(counts, false), program::nothing_done);
  counts.refused = 2;
  EXPECT_EQ(exit_code_of(counts, false), program::nothing_done);
  counts.pass = 1;
  EXPECT_EQ(exit_code_of(counts, true), program::good);
  counts.inconclusive = 1;
  EXPECT_EQ(exit_code_of(counts, false), program::good);
  EXPECT_EQ(exit_code_of(counts, true), program::inconclusive);
  counts.fail = 1;
  EXPECT_EQ(exit_code_of(counts, true), program::numerically_wrong);
}

/// What the tolerance promises: an error of 1e-4 (f32) or 1e-9 (f64), relative, in the median
/// element of nearly every slice would fail.
template <class T>
double share_of_sharp_slices(double relative_error) {
  Index sharp = 0, all = 0;
  for (const Case& c : all_cases()) {
    if (!c.quick) continue;
    const auto ref = reference_of<T>(c, 1);
    const auto expected = result_tensors(ref->expected);
    const auto units = result_tensors(ref->unit);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!expected[i].view) continue;
      for (const Slice& slice : slices_of(c.spec, expected[i].info)) {
        std::vector<std::pair<double, double>> by_size;
        for (Index e = slice.begin; e < slice.end; ++e) {
          if (is_padding(c.spec, c.lengths(), expected[i].info, e)) continue;
          by_size.emplace_back(std::abs(static_cast<double>(expected[i].view[e])),
                               units[i].view[e]);
        }
        if (by_size.empty()) continue;
        std::sort(by_size.begin(), by_size.end());
        const auto& [size, unit] = by_size[by_size.size() / 2];
        ++all;
        sharp += relative_error * size > error_limit * unit;
      }
    }
  }
  return static_cast<double>(sharp) / static_cast<double>(all);
}

TEST(Sharpness, CatchesSmallErrorsInTypicalElements) {
  EXPECT_GT(share_of_sharp_slices<float>(1e-4), 0.99);
  EXPECT_EQ(share_of_sharp_slices<double>(1e-9), 1.0);
}

TEST(FirstWrongStep, IsFoundForAnyStepAndForTheFinalState) {
  constexpr Index steps = 13;
  for (Index bad = 0; bad < steps; ++bad) {
    int runs = 0;
    const auto text = describe_first_wrong(steps, [&](const Upstream& lit) {
      ++runs;
      return lit.first <= bad && bad <= lit.last;
    });
    EXPECT_EQ(text, "wrong from upstream step " + std::to_string(bad) + " on");
    EXPECT_LE(runs, 9) << "halving should do";
  }
  EXPECT_EQ(describe_first_wrong(steps, [](const Upstream& lit) { return lit.final_state; }),
            "wrong from the gradient of the final state (dhT, dcT) on");
}

TEST(FirstWrongStep, IsNotMisledWhereStepsHideEachOther) {
  // Wrong at 3 and 5, which cancel when both are lit.
  const auto is_wrong = [](const Upstream& lit) {
    const auto holds = [&](Index step) { return lit.first <= step && step <= lit.last; };
    return holds(3) != holds(5) || lit.final_state;
  };
  EXPECT_EQ(describe_first_wrong(9, is_wrong), "wrong from upstream step 3 on");
}

TEST(FirstWrongStep, SaysWhenNothingIsWrong) {
  EXPECT_EQ(describe_first_wrong(5, [](const Upstream&) { return false; }),
            "not against naive with the same inputs");
}

}  // namespace
}  // namespace bptt::verify
