// Kinks that inputs touch: either derivative is right there, nothing else is, and elsewhere nothing
// is forgiven. The inputs hold exact zeros, as a golden file of somebody else's may.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "verify/comparison.hpp"
#include "verify/golden.hpp"
#include "verify/kink_sides.hpp"
#include "verify/self_test/faulty_backend.hpp"

namespace bptt::verify {
namespace {

/// Backward of an rnn layer by the textbook, with any slope: `slope(p, t, b, j)`.
template <class Slope>
Fault with_slope(const char* name, Slope slope) {
  return Fault::make(name, [slope]<class T>(FaultContext<T>& c) {
    if (!c.backward) return;
    const auto [T_, B, I, H] = c.spec.shape;
    const auto &w = c.params.weight_ih, &u = c.params.weight_hh;
    const auto& g = c.grads;
    for (const View<T>& view :
         {g.params.weight_ih, g.params.weight_hh, g.params.bias_ih, g.params.bias_hh, g.x}) {
      std::fill(view.begin(), view.end(), T(0));
    }
    for (Index b = 0; b < B; ++b) {
      std::vector<T> dh(static_cast<std::size_t>(H), T(0));
      for (Index j = 0; j < H && c.dout.hT; ++j) dh[static_cast<std::size_t>(j)] = c.dout.hT(b, j);
      for (Index t = T_ - 1; t >= 0; --t) {
        const auto before = [&](Index k) {
          return t > 0 ? c.out.y(t - 1, b, k) : c.in.h0 ? c.in.h0(b, k) : T(0);
        };
        std::vector<T> next(dh.size(), T(0));
        for (Index j = 0; j < H; ++j) {
          T p = c.params.bias_ih[j] + c.params.bias_hh[j];
          for (Index k = 0; k < I; ++k) p += w(j, k) * c.in.x(t, b, k);
          for (Index k = 0; k < H; ++k) p += u(j, k) * before(k);
          const T up = dh[static_cast<std::size_t>(j)] + (c.dout.y ? c.dout.y(t, b, j) : T(0));
          const T d = up * T(slope(static_cast<double>(p), t, b, j));
          for (Index k = 0; k < I; ++k) {
            c.grads.params.weight_ih(j, k) += d * c.in.x(t, b, k);
            c.grads.x(t, b, k) += d * w(j, k);
          }
          for (Index k = 0; k < H; ++k) {
            c.grads.params.weight_hh(j, k) += d * before(k);
            next[static_cast<std::size_t>(k)] += d * u(j, k);
          }
          c.grads.params.bias_ih[j] += d;
          c.grads.params.bias_hh[j] += d;
        }
        dh = next;
      }
      for (Index j = 0; c.grads.h0 && j < H; ++j) {
        c.grads.h0(b, j) = dh[static_cast<std::size_t>(j)];
      }
    }
  });
}

/// relu with a given slope at zero.
Fault relu_at_zero(double at_zero) {
  return with_slope("relu", [at_zero](double p, Index, Index, Index) {
    return p > 0 ? 1 : p < 0 ? 0 : at_zero;
  });
}

/// A file as another system would have written it: the first step of the first `rows` sequences
/// sees zeros alone, no bias, no initial state, so that every unit there is exactly on the kink.
GoldenCheck file_with_zeros(const char* cell, Index rows, Index layers = 1) {
  net::NetworkSpec spec;
  spec.stack.cell = parse_cell(cell);
  spec.stack.shape = {3, 5, 2, 4};
  spec.stack.layers = layers;
  GoldenFile file;
  file.path = "zeros.safetensors";
  file.cell = cell;
  file.subject = network_subject(spec);
  file.given = file.subject->draw(5, Dtype::f32);
  const auto model = file.subject->make<long double>(naive_plans<long double>());
  const auto tensors = given_tensors(*model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto& values = file.given.values[i];
    if (tensors[i].name.starts_with("bias") || tensors[i].name == "h0") {
      std::fill(values.begin(), values.end(), 0.0);
    }
    if (tensors[i].name == "x") std::fill_n(values.begin(), rows * 2, 0.0);
  }
  for (const auto& result : run(*model, file.given)) {
    file.results.emplace_back(result.begin(), result.end());
    file.coarse.push_back(false);
  }
  return GoldenCheck(std::move(file), 1);
}

Verdict verdict_of(const GoldenCheck& check, const Fault& fault, Dtype dtype) {
  return check.check(FaultyBackend(fault), dtype, Exec{}).verdict;
}

class OnKinks : public testing::TestWithParam<Dtype> {};

TEST_P(OnKinks, BothOneSidedDerivativesPassAndNothingBetweenThem) {
  const GoldenCheck check = file_with_zeros("rnn:relu", 1);
  EXPECT_EQ(verdict_of(check, relu_at_zero(0), GetParam()), Verdict::pass);
  EXPECT_EQ(verdict_of(check, relu_at_zero(1), GetParam()), Verdict::pass);
  EXPECT_EQ(verdict_of(check, relu_at_zero(0.5), GetParam()), Verdict::fail);
  EXPECT_EQ(verdict_of(check, relu_at_zero(-1), GetParam()), Verdict::fail);
}

TEST_P(OnKinks, EachUnitMayTakeItsOwnSide) {
  const GoldenCheck check = file_with_zeros("rnn:relu", 2);  // 8 units: every choice is tried
  const auto mixed = with_slope("mixed", [](double p, Index, Index b, Index j) {
    return p > 0 || (p == 0 && (b + j) % 3 == 0) ? 1 : 0;
  });
  EXPECT_EQ(verdict_of(check, mixed, GetParam()), Verdict::pass);
}

TEST_P(OnKinks, WhatIsWrongElsewhereStillFails) {
  const GoldenCheck check = file_with_zeros("rnn:relu", 1);
  const auto leaky = with_slope("leaky", [](double p, Index, Index, Index) {
    return p > 0 ? 1 : p < 0 ? 0.01 : 1;
  });
  const auto steep = with_slope("steep", [](double p, Index t, Index b, Index j) {
    return t == 1 && b == 3 && j < 4 && p > 0 ? 0.5 : p > 0 ? 1 : 0;
  });
  const auto tanh_like = with_slope(
      "tanh", [](double p, Index, Index, Index) { return 1 - std::tanh(p) * std::tanh(p); });
  EXPECT_EQ(verdict_of(check, leaky, GetParam()), Verdict::fail);
  EXPECT_EQ(verdict_of(check, steep, GetParam()), Verdict::fail);
  EXPECT_EQ(verdict_of(check, tanh_like, GetParam()), Verdict::fail);
}

TEST_P(OnKinks, LeakyReluTakesItsOwnTwoSlopes) {
  const GoldenCheck check = file_with_zeros("rnn:leaky_relu", 1);
  const auto leaky = [](double at_zero) {
    return with_slope("leaky", [at_zero](double p, Index, Index, Index) {
      return p > 0 ? 1 : p < 0 ? leaky_relu_slope : at_zero;
    });
  };
  EXPECT_EQ(verdict_of(check, leaky(leaky_relu_slope), GetParam()), Verdict::pass);
  EXPECT_EQ(verdict_of(check, leaky(1), GetParam()), Verdict::pass);
  EXPECT_EQ(verdict_of(check, leaky(0), GetParam()), Verdict::fail);
}

TEST_P(OnKinks, MoreUnitsThanChoicesCanBeTriedOf) {
  const GoldenCheck check = file_with_zeros("rnn:relu", 3);  // 12 units
  EXPECT_EQ(verdict_of(check, relu_at_zero(1), GetParam()), Verdict::pass);
  const auto mixed = with_slope("mixed", [](double p, Index, Index b, Index j) {
    return p > 0 || (p == 0 && (b * 4 + j) % 3 == 0) ? 1 : 0;
  });
  EXPECT_EQ(verdict_of(check, mixed, GetParam()), Verdict::pass);
  // In between: no choice agrees, and not all can be tried. What no such unit reaches is right.
  const Result half = check.check(FaultyBackend(relu_at_zero(0.5)), GetParam(), Exec{});
  EXPECT_EQ(half.verdict, Verdict::inconclusive);
  EXPECT_THAT(half.reason, testing::HasSubstr("12 units on the kink"));
  // dx of a later step is out of their reach.
  const auto steep = with_slope("steep", [](double p, Index t, Index b, Index j) {
    return t == 2 && b == 3 && p > 0 ? 0.5 : p > 0 || (p == 0 && j == 1) ? 1 : 0;
  });
  EXPECT_EQ(verdict_of(check, steep, GetParam()), Verdict::fail);
}

TEST_P(OnKinks, UnitsOfEveryLayerOfAStackCount) {
  const GoldenCheck check = file_with_zeros("rnn:relu", 1, 2);
  EXPECT_EQ(verdict_of(check, relu_at_zero(0), GetParam()), Verdict::pass);
  EXPECT_EQ(verdict_of(check, relu_at_zero(1), GetParam()), Verdict::pass);
  EXPECT_NE(verdict_of(check, relu_at_zero(0.5), GetParam()), Verdict::pass);
}

TEST_P(OnKinks, EveryBackendPassesAFileWithZeros) {
  for (const Backend* backend : backends()) {
    for (const Index layers : {1, 2}) {
      const Result result =
          file_with_zeros("rnn:relu", 3, layers).check(*backend, GetParam(), Exec{});
      if (result.verdict == Verdict::refused) continue;
      EXPECT_EQ(result.verdict, Verdict::pass) << backend->name() << ' ' << result.reason;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, OnKinks, testing::ValuesIn(all_dtypes),
                         [](const auto& test) { return std::string(name_of(test.param)); });

/// Units on the kink of a case with the given x of its only step.
std::size_t units_on_kink(double x0, double x1) {
  Spec spec;
  spec.cell = parse_cell("rnn:relu");
  spec.shape = {1, 1, 2, 1};
  const auto subject = layer_subject(spec);
  Given given = subject->draw(1, Dtype::f32);
  // w = (3, -1), no bias, no state: p = 3 x0 - x1.
  const auto model = subject->make<double>(naive_plans<double>());
  const auto tensors = given_tensors(*model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto& values = given.values[i];
    std::fill(values.begin(), values.end(), 0.0);
    if (tensors[i].name == "weight_ih_l0") values = {3, -1};
    if (tensors[i].name == "x") values = {x0, x1};
    if (tensors[i].name == "dy") values = {1};
  }
  const auto reference = make_reference<float>(*subject, given, 1);
  return reference.kinks ? reference.kinks->units().size() : 0;
}

TEST(Kinks, AmbiguityIsMeasuredFromRoundingNotPicked) {
  EXPECT_EQ(units_on_kink(0, 0), 1U);
  EXPECT_EQ(units_on_kink(1, 3), 1U);         // cancels exactly
  EXPECT_EQ(units_on_kink(1, 3 + 2e-7), 1U);  // within a few ulps of what was summed
  EXPECT_EQ(units_on_kink(1, 3.001), 0U);
  EXPECT_EQ(units_on_kink(1e-12, 0), 0U);  // tiny, but sure: nothing cancels
}

TEST(Kinks, TheSidedRecurrenceIsTheReference) {
  // With naive's own sides it has naive's results, whatever stands on it.
  net::NetworkSpec spec;
  spec.stack.cell = parse_cell("rnn:leaky_relu");
  spec.stack.shape = {4, 3, 2, 5};
  spec.stack.layers = 2;
  spec.stack.bidirectional = spec.stack.lengths = true;
  const std::vector<Index> lengths = {2, 4, 0};
  const auto subject = network_subject(spec, lengths);
  const Given given = subject->draw(3, Dtype::f64);
  const auto naive = subject->make<double>(naive_plans<double>());
  const Values<double> expected = run(*naive, given);
  const Values<long double> got =
      KinkSides<double>(*subject, {given}, {given}, {}, {}).at({}).values;
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    for (std::size_t e = 0; e < got[i].size(); ++e)
      EXPECT_NEAR(static_cast<double>(got[i][e]), expected[i][e], 1e-12);
  }
}

}  // namespace
}  // namespace bptt::verify
