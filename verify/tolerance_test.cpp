// The unit, the comparison in it, the verdicts that follow, and the search for a fault's time step.
#include "verify/tolerance.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/program/exit_code.hpp"
#include "verify/equality.hpp"
#include "verify/localise.hpp"
#include "verify/result.hpp"

namespace bptt::verify {
namespace {

/// A tensor y of [3,2,2] that holds 1 everywhere, with units of 1e-3.
struct Ones {
  Layout layout = over_time();
  std::vector<double> expected = std::vector<double>(12, 1), unit = std::vector<double>(12, 1e-3);
  std::vector<float> values = std::vector<float>(12, 1);

  static Layout over_time() {
    Layout layout;
    layout.name = "y";
    layout.extents = {3, 2, 2};
    layout.outer = net::OuterAxis::time;
    layout.blocks = 3;
    layout.batched = true;
    return layout;
  }
  float& got(Index t, Index b, Index j) {
    return values[static_cast<std::size_t>((t * 2 + b) * 2 + j)];
  }
  TensorError compared(double resolution = 0.5) {
    return compare<float, double>(layout, values, expected, unit, resolution);
  }
};

TEST(Compare, StatesTheWorstElementInUnitsAndWhereItIs) {
  Ones t;
  t.got(1, 1, 0) = 1.01f;
  const TensorError error = t.compared();
  EXPECT_NEAR(error.worst, 10, 1e-3);
  EXPECT_EQ(to_string(error.place), "y t=1 batch 1 column 0");
  EXPECT_EQ(error.wrong, 0);
  EXPECT_FALSE(error.failed());
}

TEST(Compare, FailsBeyondTheLimitAndNamesTheSteps) {
  Ones t;
  t.got(1, 0, 0) = t.got(2, 0, 1) = 1 + 1.1e-3f * static_cast<float>(error_limit);
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
    t.values[5] = bad;
    EXPECT_TRUE(t.compared().failed());
    // Nor where the expected value is the same, nor where the unit is.
    t.expected[5] = bad;
    EXPECT_TRUE(t.compared().failed());
    t.unit[5] = bad;
    EXPECT_TRUE(t.compared().failed());
  }
}

TEST(Compare, WantsExactZerosInPadding) {
  Ones t;
  t.layout.lengths = {3, 1};
  for (Index step : {1, 2}) {
    for (Index j : {0, 1}) t.got(step, 1, j) = 0;
  }
  EXPECT_FALSE(t.compared().failed());
  EXPECT_EQ(t.compared().elements, 8);
  t.got(2, 1, 1) = std::numeric_limits<float>::denorm_min();
  const TensorError error = t.compared();
  EXPECT_EQ(error.nonzero, 1);
  EXPECT_EQ(to_string(error.nonzero_place), "y t=2 batch 1 column 1");
  EXPECT_TRUE(error.failed());
}

TEST(Compare, CountsSlicesWhoseSignalIsUnderTheNoise) {
  Ones t;
  EXPECT_EQ(t.compared().inconclusive_slices, 0);
  EXPECT_EQ(t.compared(/*resolution=*/1e-3).inconclusive_slices, 3);
  for (std::size_t e = 4; e < 8; ++e) t.expected[e] = t.values[e] = 0;  // step 1: no signal
  EXPECT_EQ(t.compared().inconclusive_slices, 1);
  EXPECT_EQ(to_string(t.compared().inconclusive_place), "y t=1 batch 0 column 0");
}

TEST(Compare, WantsExactZerosWhereAGateIsOff) {
  Layout layout;
  layout.name = "grad.weight_hh_l0";
  layout.extents = {4, 3};
  layout.outer = net::OuterAxis::gates;
  layout.blocks = 2;
  layout.block_names = {"i", "f"};
  layout.dead_blocks = {false, true};
  std::vector<double> expected(12, 1), unit(12, 1e-3);
  std::fill(expected.begin() + 6, expected.end(), 0);
  std::vector<float> got(expected.begin(), expected.end());
  const auto compared = [&] { return compare<float, double>(layout, got, expected, unit, 0.5); };
  EXPECT_FALSE(compared().failed());
  EXPECT_EQ(compared().slices, 1) << "a gate without effect has no signal to be judged by";
  got[10] = std::numeric_limits<float>::denorm_min();
  EXPECT_TRUE(compared().failed());
  Result result;
  absorb(result, compared());
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].check, "no-effect");
  EXPECT_EQ(to_string(result.findings[0].place), "grad.weight_hh_l0 gate f row 1 column 1");
}

const Layout& find_layout(const std::vector<Layout>& layouts, std::string_view name) {
  for (const Layout& layout : layouts) {
    if (layout.name == name) return layout;
  }
  throw Error(ErrorKind::usage, std::string(name) + ": no such tensor");
}

TEST(Slices, AreTimeStepsGateBlocksAndStates) {
  const auto ref = reference_of<float>(find_case("lstm/plain/T7-B3-I5-H4"), 1);
  EXPECT_EQ(slices_of(find_layout(ref.layouts, "grad.x")).size(), 7u);
  const Layout& weight = find_layout(ref.layouts, "grad.weight_hh_l0");
  const auto gates = slices_of(weight);
  ASSERT_EQ(gates.size(), 4u);
  EXPECT_EQ(gates[1].begin, 16);
  EXPECT_EQ(slices_of(find_layout(ref.layouts, "grad.h0")).size(), 1u);
  EXPECT_EQ(to_string(place_of(weight, 23)), "grad.weight_hh_l0 gate f row 1 column 3");
}

TEST(Slices, OfModelsNameLayerDirectionAndLengthsOfTheirOwn) {
  const auto deep =
      reference_of<float>(find_case("lstm/2-layers-bidirectional-lengths/T4-B4-I3-H2"), 1);
  const Layout& states = find_layout(deep.layouts, "hT");
  EXPECT_EQ(slices_of(states).size(), 4u);
  EXPECT_EQ(to_string(place_of(states, 3 * 4 * 2 + 2 * 2 + 1)),
            "hT layer 1 reverse batch 2 column 1");
  EXPECT_EQ(to_string(place_of(find_layout(deep.layouts, "grad.bias_ih_l1_reverse"), 5)),
            "grad.bias_ih_l1_reverse gate g row 1");
  EXPECT_TRUE(is_padding(find_layout(deep.layouts, "y"), deep.expected[0].size() - 1));

  const auto both =
      reference_of<float>(find_case("encoder-decoder-attention/gru/lengths/T5-B4-I2-H3"), 1);
  EXPECT_NE(find_layout(both.layouts, "encoder.y").lengths,
            find_layout(both.layouts, "decoder.y").lengths);
  EXPECT_EQ(to_string(place_of(find_layout(both.layouts, "attention"), (2 * 4 + 1) * 5 + 3)),
            "attention t=2 batch 1 column 3");
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
  counts.errors = 1;
  counts.error_exit = program::bad_data;
  EXPECT_EQ(exit_code_of(counts, true), program::bad_data);
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
    for (std::size_t i = 0; i < ref.layouts.size(); ++i) {
      for (const Slice& slice : slices_of(ref.layouts[i])) {
        std::vector<std::pair<double, double>> by_size;
        for (Index index = slice.begin; index < slice.end; ++index) {
          if (must_be_zero(ref.layouts[i], index)) continue;
          const auto e = static_cast<std::size_t>(index);
          const double value = std::abs(static_cast<double>(ref.expected[i][e]));
          // Units of relu that are off have no gradient.
          if (value > 0) by_size.emplace_back(value, ref.unit[i][e]);
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
