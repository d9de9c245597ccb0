// The gradient along directions: honest backends pass with room, faults that are confined to one
// step, sequence, gate, unit or tile, and those that a check of the whole tensor misses, are named.
#include "verify/directions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "verify/differences.hpp"
#include "verify/self_test/faulty_backend.hpp"

namespace bptt::verify {
namespace {

using testing::HasSubstr;

const DirectionCheck& small_check() {
  static const Case c = layer_case("lstm", {9, 11, 19, 20}, Variant::plain);
  static const DirectionCheck check(c, 3);
  return check;
}

Result check(const Fault& fault) {
  return small_check().check(FaultyBackend(fault), Dtype::f64, Exec{});
}

/// The finding of a tensor, or an empty one.
Finding finding_of(const Result& result, const std::string& tensor) {
  for (const Finding& finding : result.findings) {
    if (finding.place.tensor == tensor) return finding;
  }
  return {};
}

TEST(Directions, HonestBackendsPass) {
  int checked = 0;
  for (const Case& c : direction_cases()) {
    if (!c.quick) continue;
    const DirectionCheck check(c, 1);
    for (const Backend* backend : backends()) {
      for (const Dtype dtype : all_dtypes) {
        const Result result = check.check(*backend, dtype, Exec{});
        if (result.verdict == Verdict::refused) continue;
        EXPECT_EQ(result.verdict, Verdict::pass)
            << backend->name() << ' ' << c.name << ' ' << result.reason << ' ' << result.worst;
        EXPECT_EQ(result.kind, CheckKind::direction);
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, 2);
}

TEST(Directions, EachPartOfEachTensorIsOneDirectionUnderBothLosses) {
  const Fault none = Fault::make("none", [](auto&) {});
  const Result result = check(none);
  EXPECT_EQ(result.verdict, Verdict::pass) << result.worst;
  // x: all steps and one step, h0, c0, of 11 rows each. Weights: all, 4 gates, 2 units, the last
  // units, first and last columns. Biases: without columns. y: 9 steps; hT, cT.
  const Index directions = 4 * 11 + 2 * 10 + 2 * 8;
  EXPECT_EQ(result.slices, 2 * directions + 9 + 2);
}

/// Runs naive over the honest inputs with one thing changed, for backward alone.
template <class Change>
Fault backward_fault(const char* name, Change change) {
  return Fault::make(name, [change]<class T>(FaultContext<T>& c) {
    if (c.backward) change(c);
  });
}

TEST(Directions, TruncatedBackpropagationIsSeenFarBack) {
  // The last third of the steps hands no gradient on: with dhT and dcT alone, nothing is left.
  const Fault fault = backward_fault("truncated", []<class T>(FaultContext<T>& c) {
    auto dout = c.dout;
    dout.hT = dout.cT = {};
    Problem<T> scratch(c.spec);
    const auto plan = naive::make_plan<T>(c.spec);
    plan->forward(c.params, c.in, scratch.out);
    plan->backward(c.params, c.in, dout, scratch.grads);
    const auto [T_, B, I, H] = c.spec.shape;
    for (Index t = 0; t < T_ / 3; ++t) {
      std::copy_n(&scratch.grads.x(t, 0, 0), B * I, &c.grads.x(t, 0, 0));
    }
  });
  const Finding finding = finding_of(check(fault), "grad.x");
  EXPECT_EQ(finding.check, "direction");
  EXPECT_LT(finding.place.time, 3);
  EXPECT_GE(finding.place.time, 0);
}

TEST(Directions, ZeroOfEarlyStepsOfDxIsSeenStepByStep) {
  const Fault fault = backward_fault("early dx", []<class T>(FaultContext<T>& c) {
    const Index step = c.spec.shape.B * c.spec.shape.I;
    std::fill_n(c.grads.x.data(), 2 * step, T(0));
  });
  const Result result = check(fault);
  const Finding finding = finding_of(result, "grad.x");
  EXPECT_THAT(finding.message, HasSubstr("t=0"));
  EXPECT_THAT(finding.message, HasSubstr("t=1"));
  EXPECT_THAT(finding.message, testing::Not(HasSubstr("t=2")));
  EXPECT_EQ(result.findings.size(), 1U);
}

/// Adds `scale` times the contribution of `upstream` alone to the parameters' gradients.
template <Real T>
void add_part(FaultContext<T>& c, const Inputs<const T>& in, const OutputGrads<const T>& upstream,
              T scale) {
  Problem<T> scratch(c.spec);
  const auto plan = naive::make_plan<T>(c.spec);
  plan->forward(c.params, in, scratch.out);
  plan->backward(c.params, in, upstream, scratch.grads);
  const auto add = [scale](const View<T>& to, const View<T>& from) {
    for (Index e = 0; e < to.size(); ++e) to[e] += scale * from[e];
  };
  add(c.grads.params.weight_ih, scratch.grads.params.weight_ih);
  add(c.grads.params.weight_hh, scratch.grads.params.weight_hh);
}

TEST(Directions, WeightGradientWithoutTheFirstStepIsSeen) {
  // dW_hh of step 0 is dp_0 (x) h0, and db is the sum of all dp_t: without h0 no product at t=0.
  const Fault fault = backward_fault("dW_hh without t=0", []<class T>(FaultContext<T>& c) {
    // dp_0 by the inputs of step 0 alone: dx_0 = dp_0 W_ih needs no inverse where W_hh does it.
    Spec first = c.spec;
    const auto [T_, B, I, H] = c.spec.shape;
    first.shape.T = T_ - 1;
    Problem<T> rest(first);
    Spec one = c.spec;
    one.shape.T = 1;
    Problem<T> begin(one);
    auto in = c.in;
    in.x = View<const T>(c.in.x.data(), {1, B, I});
    naive::make_plan<T>(one)->forward(c.params, in, begin.out);
    std::copy(begin.out.hT.begin(), begin.out.hT.end(), rest.in.h0.begin());
    std::copy(begin.out.cT.begin(), begin.out.cT.end(), rest.in.c0.begin());
    std::copy_n(c.in.x.data() + B * I, rest.in.x.size(), rest.in.x.data());
    std::copy_n(c.dout.y.data() + B * H, rest.dout.y.size(), rest.dout.y.data());
    std::copy(c.dout.hT.begin(), c.dout.hT.end(), rest.dout.hT.begin());
    std::copy(c.dout.cT.begin(), c.dout.cT.end(), rest.dout.cT.begin());
    const auto plan = naive::make_plan<T>(first);
    plan->forward(c.params, rest.in, rest.out);
    plan->backward(c.params, rest.in, rest.dout, rest.grads);
    std::copy(rest.grads.params.weight_hh.begin(), rest.grads.params.weight_hh.end(),
              c.grads.params.weight_hh.begin());
  });
  const Result result = check(fault);
  EXPECT_EQ(finding_of(result, "grad.weight_hh_l0").check, "direction");
  EXPECT_EQ(result.findings.size(), 1U);
}

TEST(Directions, MissingInitialStateGradientIsSeenInEverySequence) {
  const Fault fault = backward_fault("dh0", []<class T>(FaultContext<T>& c) {
    std::fill(c.grads.h0.begin(), c.grads.h0.end(), T(0));
  });
  EXPECT_THAT(finding_of(check(fault), "grad.h0").message, HasSubstr("and 3 more parts"));
}

TEST(Directions, LastTileOfUnitsIsNamed) {
  const Fault fault = backward_fault("last tile", []<class T>(FaultContext<T>& c) {
    const Index H = c.spec.shape.H;
    for (Index row = 0; row < 4 * H; ++row) {
      if (row % H >= 16) std::fill_n(&c.grads.params.weight_hh(row, 0), H, T(0));
    }
  });
  const Finding finding = finding_of(check(fault), "grad.weight_hh_l0");
  EXPECT_THAT(finding.message, HasSubstr("the units from 16 on"));
  EXPECT_EQ(finding.place.row, 19);  // the smallest part: its last unit
}

TEST(Directions, LostBatchRowIsSeenInTheWeights) {
  const Fault fault = backward_fault("lost row", []<class T>(FaultContext<T>& c) {
    const auto [T_, B, I, H] = c.spec.shape;
    std::vector<T> row(c.dout.y.begin(), c.dout.y.end());
    for (Index e = 0; e < c.dout.y.size(); ++e) {
      if (e / H % B != 4) row[static_cast<std::size_t>(e)] = 0;
    }
    OutputGrads<const T> alone;
    alone.y = View<const T>(row.data(), c.dout.y.extents());
    add_part<T>(c, c.in, alone, T(-1));
  });
  const Result result = check(fault);
  EXPECT_EQ(finding_of(result, "grad.weight_hh_l0").check, "direction");
  EXPECT_EQ(finding_of(result, "grad.weight_ih_l0").check, "direction");
  EXPECT_EQ(finding_of(result, "grad.x").check, "");
}

TEST(Directions, DxOfOneSequenceIsNamed) {
  const Fault fault = backward_fault("dx of a row", []<class T>(FaultContext<T>& c) {
    const auto [T_, B, I, H] = c.spec.shape;
    for (Index t = 0; t < T_; ++t) std::fill_n(&c.grads.x(t, 7, 0), I, T(0));
  });
  const Finding finding = finding_of(check(fault), "grad.x");
  EXPECT_EQ(finding.place.batch, 7);
  EXPECT_EQ(finding.place.time, 7);
  EXPECT_THAT(finding.message, HasSubstr("all steps of batch 7"));
}

TEST(Directions, OneGateOfOneStepIsNamed) {
  // Gate f is scaled by an error that one step of nine would make.
  const Fault fault = backward_fault("gate of a step", []<class T>(FaultContext<T>& c) {
    const Index block = c.grads.params.weight_ih.size() / 4;
    for (Index e = block; e < 2 * block; ++e) c.grads.params.weight_ih[e] *= T(1 - 1e-5);
  });
  const Finding finding = finding_of(check(fault), "grad.weight_ih_l0");
  EXPECT_THAT(finding.message, HasSubstr("gate f"));
  EXPECT_THAT(finding.message, testing::Not(HasSubstr("gate g")));
}

TEST(Directions, ForwardThatIsWrongTogetherWithItsDerivativeIsSeen) {
  const Fault fault = Fault::make("no h0", []<class T>(FaultContext<T>& c) {
    auto in = c.in;
    in.h0 = {};
    c.compute_with(c.spec, in, c.dout);
    if (c.backward) std::fill(c.grads.h0.begin(), c.grads.h0.end(), T(0));
  });
  const Result result = check(fault);
  EXPECT_EQ(finding_of(result, "y").check, "equality");
  EXPECT_EQ(result.verdict, Verdict::fail);
}

TEST(Directions, InF32EveryElementIsCompared) {
  const Fault fault = backward_fault(
      "one element", []<class T>(FaultContext<T>& c) { c.grads.x(3, 5, 2) += T(0.01); });
  const Result result = small_check().check(FaultyBackend(fault), Dtype::f32, Exec{});
  EXPECT_EQ(finding_of(result, "grad.x").check, "equality");
  EXPECT_EQ(finding_of(result, "grad.x").place.batch, 5);
}

TEST(Directions, SignalUnderTheNoiseIsInconclusive) {
  Case c = layer_case("rnn:sigmoid", {1, 2, 3, 2}, Variant::last);
  c.subject = make_subject(
      c.subject->cell(),
      [honest = c.subject]<Scalar T>(const net::PlanMaker<T>& plans) {
        return honest->make<T>(plans);
      },
      [honest = c.subject](const Subject&, std::uint64_t seed, Dtype dtype) {
        Given given = honest->draw(seed, dtype);
        // A bias at which the sigmoid is 1 - 1e-16: y does not move at all.
        for (auto& values : given.values) {
          if (values.size() == 2) std::fill(values.begin(), values.end(), 18.5);
        }
        return given;
      });
  const Result result = DirectionCheck(c, 1).check(*backends().front(), Dtype::f64, Exec{});
  EXPECT_EQ(result.verdict, Verdict::inconclusive) << result.worst;
}

/// f(s) = exp(s) and the difference quotient of it, exact but for rounding.
long double quotient(long double h) {
  return (std::exp(h) - std::exp(-h)) / (2 * h);
}

TEST(Differences, TableConvergesAsItsOrderSays) {
  const std::vector<long double> table = {quotient(0.5L), quotient(0.25L), quotient(0.125L)};
  const Estimate estimate = extrapolate(table);
  // h^6/7! of the first step, over the product of the steps' squared ratios, 2^6.
  EXPECT_LT(std::abs(estimate.value - 1), 2 * std::pow(0.5, 6) / 5040 / 64);
  EXPECT_GT(estimate.error, std::abs(estimate.value - 1));
  EXPECT_LT(estimate.error, 2e-4);
}

TEST(Differences, BendingLengthIsMeasured) {
  // exp: L' = L''' = 1, so rho = sqrt(6).
  const auto rho = bending_length(quotient(0.01L), quotient(0.005L), 0.01L, 0, 100);
  EXPECT_NEAR(static_cast<double>(rho), std::sqrt(6.0), 1e-3);
  EXPECT_EQ(bending_length(1, 1, 0.01L, 0, 7), 7);
}

TEST(Differences, BestStepBalancesTruncationAndRounding) {
  // Of one central difference: (3 r / |L'''|)^(1/3), with L''' = 6 |L'| / rho^2.
  const long double slope = 2, rho = 0.5L, r = 1e-18L;
  EXPECT_NEAR(static_cast<double>(best_step(slope, rho, r, 1) /
                                  std::cbrt(3 * r / (6 * slope / (rho * rho)))),
              1, 1e-12);
  // Larger tables afford larger steps; no step leaves the length over which L bends.
  EXPECT_GT(best_step(slope, rho, r, 4), best_step(slope, rho, r, 3));
  EXPECT_EQ(best_step(slope, rho, 1, 4), rho);
  EXPECT_EQ(best_step(0, rho, r, 3), rho);
}

}  // namespace
}  // namespace bptt::verify
