// Tiny sweeps: which rows come out. Nothing depends on how long anything takes.
#include "bench/sweep.hpp"

#include <csignal>
#include <set>
#include <sstream>
#include <tuple>

#include <gmock/gmock.h>

#include "bench/faulty_backend.hpp"
#include "bench/layer.hpp"
#include "bench/results/csv_reader.hpp"
#include "bench/test_folder.hpp"
#include "bench/turns.hpp"
#include "impls/api/registry.hpp"
#include "impls/program/interrupt.hpp"

namespace bptt::bench {
namespace {

using ::testing::HasSubstr;

class Sweep : public ::testing::Test {
 protected:
  Sweep() {
    // Peers refuse some of what is asked for here.
    for (const Backend* backend : backends()) {
      if (!backend->is_peer()) settings.backends.push_back(backend);
    }
    settings.cells = {parse_cell("lstm"), parse_cell("rnn:relu")};
    settings.dtypes = {Dtype::f32, Dtype::f64};
    settings.shapes = {{3, 2, 5, {}, {}}};
    settings.threads = {1};
    settings.phases = {Phase::forward, Phase::backward, Phase::train_step};
    settings.repetitions = 3;
    settings.min_seconds = 1e-4;
    settings.max_call_seconds = 100;
  }

  Outcome run(const Verifier& verifier = honest) {
    Journal journal(folder / "r.csv");
    CostModel cost;
    return run_sweep(settings, verifier, cost, journal, out);
  }
  std::vector<results::Row> rows() const { return results::read_csv(folder / "r.csv"); }

  static Verdict honest(const Backend&, const Case&, std::uint64_t) {
    return {"full", 0.5, "checked"};
  }

  TestFolder folder;
  Settings settings;
  std::ostringstream out;
};

TEST_F(Sweep, ExactlyOneRowForEachCaseBackendPhaseAndRepetition) {
  const Outcome outcome = run();
  EXPECT_FALSE(outcome.wrong || outcome.interrupted);
  std::set<std::tuple<std::string, std::string, std::string, std::string, Index>> seen;
  const auto all = rows();
  for (const auto& row : all) {
    seen.emplace(results::cell_text(row), row.dtype, row.backend, row.phase, row.repetition);
    ASSERT_TRUE(row.seconds && row.gflops && row.noise && row.workspace_bytes && row.max_error);
    EXPECT_EQ(row.workload, "layer");
    EXPECT_EQ(row.verified, "full");
    EXPECT_EQ(row.note, "checked");
    EXPECT_NEAR(*row.gflops, *row.flops / *row.seconds / 1e9, 1e-9 * *row.gflops);
  }
  EXPECT_EQ(all.size(), 2u * 2 * settings.backends.size() * 3 * 3);
  EXPECT_EQ(seen.size(), all.size());
}

TEST_F(Sweep, FlopsAddUp) {
  run();
  std::map<std::string, double> flops;
  for (const auto& row : rows()) {
    if (row.cell == "lstm") flops[row.phase] = *row.flops;
  }
  EXPECT_EQ(flops["forward"], 2. * 3 * 2 * 4 * 5 * 10);
  EXPECT_EQ(flops["backward"], 2 * flops["forward"]);
  EXPECT_EQ(flops["train_step"], 3 * flops["forward"]);
}

TEST_F(Sweep, PeaksAreThoseOfDtypeAndThreads) {
  Journal journal(folder / "r.csv");
  journal.set_peaks({{{Dtype::f32, 1}, 50.0}, {{Dtype::f64, 2}, 70.0}});
  CostModel cost;
  run_sweep(settings, honest, cost, journal, out);
  for (const auto& row : rows()) {
    EXPECT_EQ(row.peak_gflops, row.dtype == "f32" ? std::optional(50.0) : std::nullopt);
    EXPECT_EQ(row.fraction_of_peak.has_value(), row.dtype == "f32");
  }
}

TEST_F(Sweep, AFractionThatNoPeakAllowsIsExplained) {
  Journal journal(folder / "r.csv");
  journal.set_peaks({{{Dtype::f32, 1}, 1e-9}, {{Dtype::f64, 1}, 1e9}});
  CostModel cost;
  run_sweep(settings, honest, cost, journal, out);
  for (const auto& row : rows()) {
    EXPECT_EQ(row.note, row.dtype == "f64" ? "checked"
                                           : "checked; above the measured peak: the machine was "
                                             "busy when the peak was measured");
  }
}

TEST_F(Sweep, ACallFasterThanItsBoundIsFlaggedWhereNoiseDoesNotExplainIt) {
  Case c;
  c.spec = {.cell = parse_cell("rnn"), .shape = {3, 2, 5, 5}};
  // Medians of 1; deviations of nothing, of a hundredth and of a fifth, medians as well.
  const std::vector<double> quiet = {1, 1, 1}, usual = {0.99, 1, 1.01}, noisy = {0.8, 1, 1.2};
  const auto flagged = [&](const std::vector<double>& seconds, double bound) {
    Journal journal(folder / "r.csv");
    Subject subject{c,  *backends().front(), Phase::forward, "layer", 1e9,
                    {}, {"full", 0.5, ""},   "before"};
    subject.bound_seconds = bound;
    std::vector<Measurement> measurements;
    for (const double value : seconds) {
      measurements.push_back({static_cast<Index>(measurements.size()), value, "", {}});
    }
    journal.write(subject, measurements);
    int count = 0;
    for (const auto& row : rows()) {
      const bool is_flagged = row.note.starts_with(
          "before; faster than the bound by more than noise: the machine was busy");
      EXPECT_TRUE(is_flagged || row.note == "before") << row.note;
      count += is_flagged ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(flagged(quiet, 0.5), 0);
  EXPECT_EQ(flagged(quiet, 1.01), 0);
  EXPECT_EQ(flagged(quiet, 1.03), 3);
  EXPECT_EQ(flagged(usual, 1.03), 0);
  EXPECT_EQ(flagged(usual, 1.05), 2) << "the slowest of the three is not";
  EXPECT_EQ(flagged(noisy, 1.3), 0);
  EXPECT_EQ(flagged(noisy, 3), 3);
}

TEST_F(Sweep, RoundsEndWhenTheTimeOfACaseIsOver) {
  settings.cells = {parse_cell("rnn")};
  settings.dtypes = {Dtype::f32};
  settings.phases = {Phase::forward};
  settings.repetitions = 40;
  settings.case_seconds = 1e-9;
  run();
  EXPECT_EQ(rows().size(), static_cast<std::size_t>(least_rounds) * settings.backends.size());
}

TEST_F(Sweep, LayoutsAreToldAndTakenOff) {
  const FaultyBackend copies(*backends().front(), {.layouts = {1e-9, 2e-9}});
  settings.backends = {&copies};
  settings.dtypes = {Dtype::f32};
  run();
  for (const auto& row : rows()) {
    const double calls = row.phase == "train_step" ? 2 : 1;
    EXPECT_NEAR(row.reorder_seconds.value(), calls * 1e-9, 1e-15);
    EXPECT_NEAR(row.excluded_seconds.value(), calls * 2e-9, 1e-15);
  }
}

TEST_F(Sweep, WhatDoesNotFitInMemoryIsARefusedRow) {
  settings.shapes = {{1000, 1000, 1000000, {}, {}}, {Index{1} << 40, 1 << 20, 1 << 20, {}, {}}};
  settings.phases = {Phase::train_step};
  const Outcome outcome = run();
  EXPECT_FALSE(outcome.wrong);
  const auto all = rows();
  EXPECT_EQ(all.size(), 2u * 2 * 2 * settings.backends.size());
  for (const auto& row : all) {
    ASSERT_TRUE(results::refusal_of(row));
    EXPECT_THAT(*results::refusal_of(row),
                ::testing::AnyOf(HasSubstr("are free"), HasSubstr("does not fit in 64 bits"),
                                 HasSubstr("31 bits"), HasSubstr("2^31")));
  }
}

TEST_F(Sweep, MoreThreadsThanProcessorsAreRefused) {
  settings.threads = {4096};
  run();
  for (const auto& row : rows())
    EXPECT_THAT(*results::refusal_of(row), HasSubstr("4096 threads on"));
}

TEST_F(Sweep, CallsThatWouldTakeTooLongAreRefused) {
  settings.max_call_seconds = 1e-12;
  run();
  EXPECT_EQ(rows().size(), 2u * 2 * settings.backends.size() * 3);
  for (const auto& row : rows()) EXPECT_THAT(*results::refusal_of(row), HasSubstr("(--max-call)"));
}

TEST_F(Sweep, WhatFailsVerificationIsNotTimed) {
  const FaultyBackend faulty(*backends().front(), {.weight_hh = 1.01});
  settings.backends = {backends().front(), &faulty};
  const Outcome outcome = run([](const Backend& backend, const Case&, std::uint64_t) {
    return backend.name() == "faulty" ? Verdict{"failed", 40.0, "grad.weight_hh_l0 at t=2"}
                                      : Verdict{"full", 0.5, ""};
  });
  EXPECT_TRUE(outcome.wrong);
  for (const auto& row : rows()) {
    EXPECT_EQ(row.seconds.has_value(), row.backend != "faulty");
    if (row.backend != "faulty") continue;
    EXPECT_EQ(row.verified, "failed");
    EXPECT_EQ(row.max_error, 40.0);
    EXPECT_EQ(row.note, "refused: verification failed: grad.weight_hh_l0 at t=2");
  }
  EXPECT_THAT(out.str(), HasSubstr("faulty: refused: verification failed"));
}

TEST_F(Sweep, WhatCannotBeVerifiedIsNotTimed) {
  const Outcome outcome = run([](const Backend&, const Case&, std::uint64_t) -> Verdict {
    throw Error(ErrorKind::unavailable, "no memory for the reference");
  });
  EXPECT_FALSE(outcome.wrong);
  for (const auto& row : rows()) {
    EXPECT_EQ(results::refusal_of(row), "cannot be verified: no memory for the reference");
    EXPECT_EQ(row.verified, "no");
  }
}

TEST_F(Sweep, WhatAStackNeedsIsKnownBeforeItIsPlanned) {
  settings.cells = {parse_cell("lstm")};
  settings.dtypes = {Dtype::f32};
  settings.layers = {1, 2};
  settings.bidirectional = {false, true};
  settings.shapes = {{30, 4, 65, 70, {}}};
  settings.threads = {1, 2};
  int cases = 0, halved = 0;
  for (const Case& c : expand(settings)) {
    for (const Backend* backend : backends()) {
      const Exec exec = net::exec_of_plans(*backend, c.exec, c.spec.bidirectional);
      if (backend->refusal(c.spec.layer_spec(0), c.dtype, exec)) continue;
      ++cases;
      halved += exec.threads < c.exec.threads ? 1 : 0;
      EXPECT_EQ(Layer::make(c, 1)->plan(*backend)->workspace_bytes(), workspace_bytes(*backend, c))
          << backend->name() << " " << to_string(c);
    }
  }
  EXPECT_GE(cases, 4);
  const auto halves = [](const Backend* b) { return b->runs_side_by_side({.threads = 2}); };
  EXPECT_EQ(halved > 0, std::ranges::any_of(backends(), halves));
}

TEST_F(Sweep, StacksAreCasesOfTheirOwn) {
  settings.cells = {parse_cell("lstm")};
  settings.dtypes = {Dtype::f32};
  settings.layers = {1, 3};
  settings.bidirectional = {false, true};
  settings.shapes = {{3, 2, 5, 7, {}}};
  EXPECT_FALSE(run().wrong);
  std::set<std::tuple<Index, Index, double>> seen;
  for (const auto& row : rows()) {
    ASSERT_TRUE(row.seconds && row.workspace_bytes);
    if (row.phase == "forward") seen.emplace(row.layers, row.directions, *row.flops);
  }
  // A layer above another reads D*H features.
  const double step = 2. * 3 * 2 * 4 * 5;
  EXPECT_THAT(seen,
              ::testing::ElementsAre(std::tuple(1, 1, step * 12), std::tuple(1, 2, 2 * step * 12),
                                     std::tuple(3, 1, step * (12 + 2 * 10)),
                                     std::tuple(3, 2, 2 * step * (12 + 2 * 15))));
  EXPECT_EQ(rows().size(), 4 * settings.backends.size() * 3 * 3);
}

TEST_F(Sweep, RecomputationIsAnOptionOfTheCase) {
  settings.cells = {parse_cell("lstm:bias=off")};
  settings.dtypes = {Dtype::f32};
  settings.phases = {Phase::train_step};
  settings.recompute = {Recompute::none, Recompute::gates};
  run();
  std::map<std::string, int> count;
  for (const auto& row : rows()) ++count[row.options];
  const int each = static_cast<int>(settings.backends.size()) * 3;
  EXPECT_THAT(count, ::testing::ElementsAre(std::pair("bias=off", each),
                                            std::pair("bias=off:recompute=gates", each)));
}

TEST_F(Sweep, AnUnexpectedFailureIsItsRowsNoteAndTheOthersGoOn) {
  settings.cells = {parse_cell("lstm")};
  settings.dtypes = {Dtype::f32};
  for (const int good_calls : {0, 2, 9}) {
    const FaultyBackend broken(*backends().front(), {.good_calls = good_calls});
    settings.backends = {backends().front(), &broken};
    // So that the cost model knows nothing of it, which would fail before the sweep does.
    settings.min_seconds = 1e-9;
    const Outcome outcome = run();
    EXPECT_TRUE(outcome.broken);
    EXPECT_FALSE(outcome.wrong);
    int good = 0, refused = 0;
    for (const auto& row : rows()) {
      if (row.backend != "faulty") {
        ++good;
      } else if (!row.seconds) {
        ++refused;
        EXPECT_EQ(results::refusal_of(row), "failed unexpectedly: vector too long");
      }
    }
    EXPECT_EQ(good, 3 * 3);
    EXPECT_GE(refused, 1);
  }
}

TEST_F(Sweep, AnInterruptKeepsTheCasesThatAreDone) {
  const program::InterruptGuard guard;
  // The signal comes while the second case is being verified.
  int verified = 0;
  const Outcome outcome = run([&](const Backend&, const Case&, std::uint64_t) {
    if (++verified == static_cast<int>(settings.backends.size()) + 1) std::raise(SIGINT);
    return Verdict{"full", 0.5, ""};
  });
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(rows().size(), settings.backends.size() * 3 * 3);
}

TEST(Turns, EveryRoundBeginsWithAnotherOne) {
  std::string order;
  for (Index round = 0; round < 3; ++round) {
    for (std::size_t k = 0; k < 3; ++k) order += static_cast<char>('a' + in_turn(k, round, 3));
  }
  EXPECT_EQ(order, "abcbcacab");
}

}  // namespace
}  // namespace bptt::bench
