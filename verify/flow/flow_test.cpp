// Gradient flow: the measured norms are those of the true Jacobians, the bound holds at every lag,
// and where it did not it would be seen.
#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>

#include <gmock/gmock.h>

#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"
#include "impls/net/initialise.hpp"
#include "impls/program/exit_code.hpp"
#include "verify/flow/measure.hpp"
#include "verify/flow/norms.hpp"
#include "verify/flow/program.hpp"
#include "verify/self_test/faulty_backend.hpp"

namespace bptt::verify::flow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Index steps = 20, units = 6;

Initialisation named(std::string_view name) {
  for (const Initialisation& one : initialisations()) {
    if (one.name == name) return one;
  }
  throw std::logic_error("no such initialisation");
}

Network network(const std::string& cell, std::string_view initialisation) {
  return {parse_cell(cell), named(initialisation), steps, units, 3};
}

std::vector<Row> measured(const std::string& cell, std::string_view initialisation,
                          std::string_view backend = "naive", Dtype dtype = Dtype::f64) {
  return measure(find_backend(backend), dtype, network(cell, initialisation));
}

TEST(Flow, TheBoundHoldsAtEveryLagForEveryActivationAndInitialisation) {
  for (const char* cell :
       {"rnn", "rnn:relu", "rnn:leaky_relu", "rnn:sigmoid", "rnn:identity", "rnn:bias=off"}) {
    for (const Initialisation& initialisation : initialisations()) {
      if (!applies_to(initialisation, parse_cell(cell))) continue;
      for (const Dtype dtype : all_dtypes) {
        const auto rows = measured(cell, initialisation.name, "naive", dtype);
        ASSERT_EQ(rows.size(), static_cast<std::size_t>(steps));
        for (const Row& row : rows) {
          EXPECT_EQ(row.verdict, Verdict::holds)
              << cell << ' ' << initialisation.name << " lag " << row.lag << ": " << row.norm
              << " > " << *row.bound;
        }
      }
    }
  }
}

TEST(Flow, EveryBackendMeasuresTheSame) {
  for (const char* cell : {"rnn", "lstm", "gru"}) {
    const auto expected = measured(cell, "uniform");
    for (const Backend* backend : own_backends()) {
      const auto rows = measured(cell, "uniform", backend->name());
      ASSERT_EQ(rows.size(), expected.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_NEAR(rows[i].norm / expected[i].norm, 1, 1e-10) << backend->name() << ' ' << cell;
        EXPECT_EQ(rows[i].cell_norm.has_value(), std::string(cell) == "lstm");
      }
    }
  }
}

/// Of a linear network the Jacobian over `lag` steps is W_hh to that power.
TEST(Flow, OfALinearNetworkTheNormIsThatOfThePower) {
  const Network linear = network("rnn:identity", "radius=0.9");
  Problem<double> p(spec_of(linear, 1));
  net::Random random(linear.seed);
  fill(linear.initialisation, p.spec(), p.params, random);
  const double* w = p.params.weight_hh.data();
  std::vector<double> power(w, w + units * units);
  for (const Row& row : measured("rnn:identity", "radius=0.9")) {
    EXPECT_NEAR(row.norm / largest_singular_value({power.data(), {units, units}}), 1, 1e-12)
        << "lag " << row.lag;
    EXPECT_NEAR(row.spectral_radius, 0.9, 1e-12);
    std::vector<double> next(power.size());
    for (Index i = 0; i < units; ++i) {
      for (Index j = 0; j < units; ++j) {
        for (Index k = 0; k < units; ++k) {
          next[i * units + j] += power[i * units + k] * w[k * units + j];
        }
      }
    }
    power.swap(next);
  }
}

/// A network's sequence as measure() draws it, up to step `stop`.
std::unique_ptr<Problem<double>> drawn(const Network& of, Index stop) {
  auto p = std::make_unique<Problem<double>>(spec_of(of, stop));
  net::Random weights(of.seed, 0), x(of.seed, 1), h0(of.seed, 2), c0(of.seed, 3);
  fill(of.initialisation, p->spec(), p->params, weights);
  for (double& value : p->in.x) value = x.uniform(-1, 1);
  for (double& value : p->in.h0) value = h0.uniform();
  for (double& value : p->in.c0) value = c0.uniform();
  return p;
}

/// dh_3/dh_2 and dh_3/dc_2 by central differences of the forward pass, from where two steps led.
TEST(Flow, TheLastStepOfThreeIsThatOfFiniteDifferences) {
  for (const char* cell : {"rnn", "lstm", "gru"}) {
    const Network three{parse_cell(cell), named("uniform"), 3, units, 3};
    const auto whole = drawn(three, 3), before = drawn(three, 2), last = drawn(three, 1);
    const Backend& naive = find_backend("naive");
    naive.plan<double>(before->spec(), Exec{})->forward(before->params, before->in, before->out);
    std::copy(before->out.hT.begin(), before->out.hT.end(), last->in.h0.begin());
    std::copy(before->out.cT.begin(), before->out.cT.end(), last->in.c0.begin());
    std::copy_n(&whole->in.x(2, 0, 0), units, last->in.x.begin());
    const auto plan = naive.plan<double>(last->spec(), Exec{});
    const auto norm = [&](const View<double>& state) {
      std::vector<double> jacobian(units * units);
      for (Index j = 0; j < units; ++j) {
        constexpr double step = 1e-5;
        const double kept = state[j];
        for (const double sign : {1.0, -1.0}) {
          state[j] = kept + sign * step;
          plan->forward(last->params, last->in, last->out);
          for (Index i = 0; i < units; ++i) {
            jacobian[i * units + j] += sign * last->out.hT[i] / (2 * step);
          }
        }
        state[j] = kept;
      }
      return largest_singular_value({jacobian.data(), {units, units}});
    };
    const Row row = measure(naive, Dtype::f64, three).front();
    EXPECT_EQ(row.lag, 1);
    EXPECT_NEAR(row.norm, norm(last->in.h0), 1e-8) << cell;
    ASSERT_EQ(row.cell_norm.has_value(), three.cell.has_cell_state());
    if (row.cell_norm) {
      EXPECT_NEAR(*row.cell_norm, norm(last->in.c0), 1e-8);
    }
    EXPECT_EQ(row.bound.has_value(), three.cell.kind == CellKind::rnn);
  }
}

TEST(Flow, AnIdentityReluNetworkNeitherVanishesNorExplodes) {
  for (const Row& row : measured("rnn:relu", "identity")) {
    EXPECT_EQ(row.norm, 1) << "lag " << row.lag;
    EXPECT_EQ(row.bound, 1.0);
    EXPECT_EQ(row.verdict, Verdict::holds);
  }
}

TEST(Flow, GatesThatRememberKeepTheGradientAlive) {
  for (const char* cell : {"lstm", "gru"}) {
    const Row plain = measured(cell, "uniform").back(), kept = measured(cell, "remember").back();
    const auto of_memory = [](const Row& row) { return row.cell_norm.value_or(row.norm); };
    EXPECT_GT(of_memory(kept), 100 * of_memory(plain)) << cell;
  }
}

TEST(Flow, RadiusAndOrthogonalAreWhatTheySay) {
  EXPECT_NEAR(measured("lstm", "radius=1.5").front().spectral_radius, 1.5, 1e-10);
  EXPECT_NEAR(measured("gru", "orthogonal").front().sigma_max, 1, 1e-6);
}

TEST(Flow, LagsAreAllOrEvenlySpread) {
  EXPECT_EQ(lags_of(1), std::vector<Index>{1});
  EXPECT_EQ(lags_of(3), (std::vector<Index>{1, 2, 3}));
  const auto spread = lags_of(1000);
  EXPECT_EQ(spread.size(), static_cast<std::size_t>(most_lags));
  EXPECT_EQ(spread.front(), 1);
  EXPECT_EQ(spread.back(), 1000);
  EXPECT_TRUE(std::is_sorted(spread.begin(), spread.end()));
}

// ---- That a violation is seen ----

TEST(PlantedViolation, AJacobianThatIsOnePerCentTooLargeFails) {
  const FaultyBackend too_large(Fault::make("dh0 * 1.01", [](auto& context) {
    if (!context.backward) return;
    for (auto& value : context.grads.h0) value *= decltype(value + 0)(1.01);
  }));
  for (const Dtype dtype : all_dtypes) {
    const auto rows = measure(too_large, dtype, network("rnn:relu", "identity"));
    for (const Row& row : rows) EXPECT_EQ(row.verdict, Verdict::violated) << "lag " << row.lag;
    EXPECT_EQ(exit_code_of(rows), program::numerically_wrong);
    std::ostringstream out;
    print(out, rows);
    EXPECT_THAT(out.str(),
                AllOf(HasSubstr("VIOLATED: faulty rnn:relu identity, lag 1: expected |dh_T/dh_k| "
                                "of at most 1; got 1.01"),
                      HasSubstr("FAIL: 0 of 20 bounds hold.")));
  }
}

TEST(PlantedViolation, AJacobianThatIsNotANumberFails) {
  const FaultyBackend broken(Fault::make("NaN in dh0", [](auto& context) {
    if (context.backward) context.grads.h0[0] = std::nan("");
  }));
  for (const char* cell : {"rnn", "lstm"}) {  // with a bound, and without one
    EXPECT_EQ(exit_code_of(measure(broken, Dtype::f64, network(cell, "uniform"))),
              program::numerically_wrong);
  }
  std::ostringstream out;
  print(out, measure(broken, Dtype::f64, network("gru", "uniform")));
  EXPECT_THAT(out.str(),
              AllOf(HasSubstr("NOT FINITE: faulty gru uniform, lag 1: "),
                    HasSubstr("FAIL: 0 of 20 norms of gated cells are finite; no bound")));
}

TEST(PlantedViolation, ABoundWithTheWrongFactorFails) {
  // gamma of sigmoid is 1/4; with W_hh orthogonal and linear units nothing is lost to the bound.
  for (const Row& row : measured("rnn:identity", "orthogonal")) {
    const auto lag = static_cast<double>(row.lag);
    const auto holds = [&](double factor) {
      return verdict_of(row.norm, std::pow(factor * row.sigma_max, lag), row.lag, units,
                        Dtype::f64) == Verdict::holds;
    };
    EXPECT_TRUE(holds(1));
    EXPECT_FALSE(holds(1 - 1e-6)) << "the slack is for rounding only (W_hh is rounded to f32)";
    EXPECT_FALSE(holds(0.25));
  }
  EXPECT_EQ(largest_slope(parse_cell("rnn:sigmoid")), 0.25);
  EXPECT_EQ(largest_slope(parse_cell("rnn:leaky_relu")), 1);
  EXPECT_FALSE(largest_slope(parse_cell("lstm")));
}

TEST(VerdictOf, WhereNumbersEnd) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  EXPECT_EQ(verdict_of(1e-40, 1e-45, 10, 4, Dtype::f32), Verdict::holds)
      << "below the normal numbers of f32";
  EXPECT_EQ(verdict_of(1e-40, 1e-45, 10, 4, Dtype::f64), Verdict::violated);
  EXPECT_EQ(verdict_of(1e30, 1e39, 10, 4, Dtype::f32), Verdict::holds);
  for (const double norm : {inf, nan}) {
    EXPECT_EQ(verdict_of(norm, 1e39, 10, 4, Dtype::f32), Verdict::out_of_range);
    EXPECT_EQ(verdict_of(norm, 1e39, 10, 4, Dtype::f64), Verdict::violated);
    EXPECT_EQ(verdict_of(norm, 1, 10, 4, Dtype::f32), Verdict::violated);
  }
}

// ---- The program ----

struct Outcome {
  int code;
  std::string text;
};
Outcome run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"bptt-verify", "--flow"});
  std::ostringstream out;
  const int code = run_flow(static_cast<int>(arguments.size()), arguments.data(), out);
  return {code, out.str()};
}

TEST(FlowProgram, PrintsATableForEachCellAndTheVerdict) {
  const Outcome outcome = run({"--cell", "rnn,lstm", "--seq-len", "5", "--hidden", "4"});
  EXPECT_EQ(outcome.code, program::good);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("rnn, naive, f64, H=4, T=5: |dh_T/dh_(T-lag)|\n"),
                                  HasSubstr("lstm, naive"), HasSubstr("remember"),
                                  HasSubstr("holds"), HasSubstr("PASS: 40 of 40 bounds hold.\n")));
  EXPECT_THAT(outcome.text, HasSubstr("NO CHECK: 45 of 45 norms of gated cells are finite"));
}

TEST(FlowProgram, WithoutABoundNothingPasses) {
  const Outcome outcome = run({"--cell", "gru", "--seq-len", "3", "--hidden", "4"});
  EXPECT_EQ(outcome.code, program::good);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("NO CHECK: 27 of 27 norms of gated cells are finite"),
                                  Not(HasSubstr("PASS")), Not(HasSubstr("bounds hold"))));
}

TEST(FlowProgram, WhatOverflowsIsOutOfRangeAndDoesNotHold) {
  const auto rows = [](std::size_t in_range, std::size_t beyond) {
    Row row;
    row.dtype = "f32", row.bound = 1, row.verdict = Verdict::holds;
    std::vector<Row> all(in_range, row);
    row.norm = std::nan(""), row.bound = 1e40, row.verdict = Verdict::out_of_range;
    all.insert(all.end(), beyond, row);
    return all;
  };
  const auto text = [](const std::vector<Row>& of) {
    std::ostringstream out;
    print(out, of);
    return out.str();
  };
  EXPECT_EQ(exit_code_of(rows(2, 1)), program::good);
  EXPECT_THAT(text(rows(2, 1)), HasSubstr("PASS: 2 of 3 bounds hold, 1 are out of range: norm and "
                                          "bound overflow f32.\n"));
  EXPECT_EQ(exit_code_of(rows(0, 3)), program::nothing_done);
  EXPECT_THAT(text(rows(0, 3)), HasSubstr("NOTHING CHECKED: 0 of 3 bounds hold, 3 are out"));

  const Outcome outcome =
      run({"--dtype", "f32", "--seq-len", "1000", "--cell", "rnn:identity", "--hidden", "4"});
  EXPECT_EQ(outcome.code, program::good);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("out of range\n"), Not(HasSubstr("400 of 400"))));
}

TEST(FlowProgram, AnOutputThatCannotBeWrittenIsNoticedBeforeTheWork) {
  const std::string nowhere = ::testing::TempDir() + "absent/flow.csv";
  const char* arguments[] = {"bptt-verify", "--flow",   "--seq-len",
                             "2",           "--output", nowhere.c_str()};
  std::ostringstream out;
  try {
    run_flow(std::size(arguments), arguments, out);
    ADD_FAILURE() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_THAT(error.what(), HasSubstr(nowhere + ": cannot write it: No such file"));
  }
  EXPECT_EQ(out.str(), "");
}

TEST(FlowProgram, BadFlagsAreBadUsage) {
  const auto fails = [](std::vector<const char*> arguments, ErrorKind kind) {
    try {
      run(std::move(arguments));
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
    }
  };
  fails({"--seq-len", "0"}, ErrorKind::usage);
  fails({"--seq-len", "1001"}, ErrorKind::usage);
  fails({"--hidden", "8,16"}, ErrorKind::usage);
  fails({"--cell", "rnn:tan"}, ErrorKind::usage);
  fails({"--junit", "x"}, ErrorKind::usage);
  fails({"--backend", "fast"}, ErrorKind::usage);
}

}  // namespace
}  // namespace bptt::verify::flow
