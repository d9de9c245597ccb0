// The case table and the inputs drawn for it.
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/naive/naive.hpp"
#include "verify/equality.hpp"
#include "verify/inputs.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

TEST(Cases, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Case& c : all_cases()) EXPECT_TRUE(names.insert(c.name).second) << c.name;
}

TEST(Cases, CoverEveryCellVariantAndBias) {
  std::set<std::string> cells;
  std::set<Variant> variants;
  std::set<std::string> with_oracles;
  bool extents_of_one = false, long_memory = false;
  for (const Case& c : all_cases()) {
    cells.insert(to_string(c.spec.cell));
    variants.insert(c.variant);
    if (c.small) with_oracles.insert(to_string(c.spec.cell));
    extents_of_one = extents_of_one || c.spec.shape == Shape{1, 1, 1, 1};
    long_memory = long_memory || c.spec.shape.T >= 50;
  }
  EXPECT_EQ(cells.size(), 20u);  // 5 of rnn, 1 of lstm, 4 of gru, each with and without bias
  EXPECT_EQ(with_oracles, cells);
  EXPECT_EQ(variants.size(), 4u);
  EXPECT_TRUE(extents_of_one);
  EXPECT_TRUE(long_memory);
}

TEST(Cases, LengthsHoldAFullOneAOneAndAZeroUnsorted) {
  bool has_zero = false;
  for (const Case& c : all_cases()) {
    const auto lengths = c.lengths();
    ASSERT_EQ(lengths.size(), c.spec.lengths ? static_cast<std::size_t>(c.spec.shape.B) : 0u);
    if (c.spec.shape.B < 3 || !c.spec.lengths) continue;
    EXPECT_THAT(lengths, testing::Contains(c.spec.shape.T));
    EXPECT_THAT(lengths, testing::Contains(1));
    if (c.spec.shape.T > 1) {
      EXPECT_LT(lengths[0], c.spec.shape.T) << c.name;
    }
    has_zero = has_zero || std::count(lengths.begin(), lengths.end(), 0) > 0;
  }
  EXPECT_TRUE(has_zero);
}

TEST(Glob, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches_glob("lstm/*", "lstm/plain/T1"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("*plain*T?", "lstm/plain/T1"));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_glob("a*b", "a-b-c"));
  EXPECT_FALSE(matches_glob("lstm", "lstm/plain"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_FALSE(matches_glob("", "x"));
}

TEST(Inputs, OfACaseDoNotDependOnOtherCasesAndFollowTheSeed) {
  const Case& c = all_cases().front();
  Problem<double> a(c.spec), b(c.spec), other(c.spec);
  draw_case<double>(c, 1, a);
  draw_case<double>(c, 1, b);
  draw_case<double>(c, 2, other);
  EXPECT_EQ(a.in.x[0], b.in.x[0]);
  EXPECT_NE(a.in.x[0], other.in.x[0]);
}

TEST(Inputs, OfFloatAreThoseOfDoubleRounded) {
  for (const Case& c : all_cases()) {
    if (c.spec.cell.kind != CellKind::lstm || !c.quick) continue;
    Problem<double> narrow(c.spec), wide(c.spec);
    draw_case<float>(c, 1, narrow);
    draw_case<double>(c, 1, wide);
    const auto n = given_tensors(narrow), w = given_tensors(wide);
    for (std::size_t i = 0; i < n.size(); ++i) {
      for (Index e = 0; e < n[i].view.size(); ++e) {
        if (std::isnan(w[i].view[e])) continue;
        ASSERT_EQ(n[i].view[e], static_cast<double>(static_cast<float>(w[i].view[e])));
      }
    }
  }
}

TEST(Inputs, UpstreamGradientsAndStatesAreNonzeroAndPaddingIsNaN) {
  for (const Case& c : all_cases()) {
    if (!c.quick) continue;
    Problem<double> p(c.spec);
    draw_case<double>(c, 3, p);
    for (const auto& [info, view] : given_tensors(p)) {
      const bool steered =
          info.base_name.starts_with("d") || info.base_name == "h0" || info.base_name == "c0";
      for (Index e = 0; e < view.size(); ++e) {
        if (is_padding(c.spec, c.lengths(), info, e)) {
          ASSERT_TRUE(std::isnan(view[e]));
        } else {
          ASSERT_TRUE(std::isfinite(view[e]));
          if (steered) {
            ASSERT_GE(std::abs(view[e]), 0.25);
          }
        }
      }
    }
  }
}

TEST(Inputs, KeepTheirDistanceFromKinks) {
  for (const Case& c : all_cases()) {
    const Activation phi = c.spec.cell.activation;
    if (phi != Activation::relu && phi != Activation::leaky_relu) continue;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      Problem<double> p(c.spec);
      c.apply(p);
      const double margin = draw_inputs(seed_of(c, seed), p);
      EXPECT_GT(margin, 0.1 * kink_margin(c.spec)) << c.name << " seed " << seed;
    }
  }
}

/// The gradient that reaches h0 from the loss's last step alone, beside the one that started there:
/// what the fixtures are made for.
TEST(Inputs, KeepGradientsAliveOverFiftySteps) {
  for (const Case& c : all_cases()) {
    if (c.spec.shape.T != 50 || c.variant != Variant::plain) continue;
    Problem<double> p(c.spec);
    draw_case<double>(c, 1, p);
    std::fill(p.dout.y.begin(), p.dout.y.end(), 0.0);
    run_both(*naive::make_plan<double>(c.spec), p);
    double largest = 0;
    for (const double value : p.grads.h0) largest = std::max(largest, std::abs(value));
    if (p.grads.c0) {
      for (const double value : p.grads.c0) largest = std::max(largest, std::abs(value));
    }
    EXPECT_GT(largest, 1e-4) << c.name;
    EXPECT_LT(largest, 1e4) << c.name;
  }
}

}  // namespace
}  // namespace bptt::verify
