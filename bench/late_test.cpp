// Backends that compute where they are verified and something else where they are timed: each is
// refused, by name of tensor, place and values, and none is reported as fast. Honest ones pass.
#include <csignal>
#include <sstream>

#include <gmock/gmock.h>

#include "bench/faulty_backend.hpp"
#include "bench/late_faults.hpp"
#include "bench/program.hpp"
#include "bench/results/csv_reader.hpp"
#include "bench/sweep.hpp"
#include "bench/test_folder.hpp"
#include "impls/api/registry.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/program/interrupt.hpp"
#include "verify/self_test/whole_stack_backend.hpp"

namespace bptt::bench {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using verify::Fault;

class Late : public ::testing::Test {
 protected:
  Late() {
    settings.cells = {parse_cell("lstm")};
    settings.dtypes = {Dtype::f32, Dtype::f64};
    settings.shapes = {{6, 8, 9, 7, {}}};
    settings.threads = {1};
    settings.phases = {Phase::forward, Phase::backward, Phase::train_step};
    settings.repetitions = 2;
    settings.min_seconds = 1e-5;
    settings.max_call_seconds = 100;
  }

  Outcome run(std::vector<const Backend*> who, const Verifier& verifier = verifier_at_shape()) {
    settings.backends = std::move(who);
    Journal journal(folder / "r.csv");
    CostModel cost;
    return run_sweep(settings, verifier, cost, journal, out);
  }
  std::vector<results::Row> rows() const { return results::read_csv(folder / "r.csv"); }
  std::size_t phases() const { return settings.dtypes.size() * settings.phases.size(); }

  /// Beside the reference, which is measured as ever.
  void expect_refused(const Backend& faulty, const ::testing::Matcher<std::string>& reason) {
    const Outcome outcome = run({backends().front(), &faulty});
    EXPECT_TRUE(outcome.wrong) << faulty.version();
    EXPECT_FALSE(outcome.broken);
    std::size_t refused = 0;
    for (const auto& row : rows()) {
      if (row.backend != faulty.name()) {
        EXPECT_TRUE(row.seconds);
        EXPECT_EQ(row.verified, "full");
        continue;
      }
      ++refused;
      EXPECT_FALSE(row.seconds) << faulty.version();
      EXPECT_EQ(row.verified, "failed");
      EXPECT_GT(row.max_error.value_or(0), 1);
      EXPECT_THAT(results::refusal_of(row).value_or("measured"), reason) << faulty.version();
    }
    EXPECT_EQ(refused, phases());
    EXPECT_THAT(out.str(), HasSubstr(std::string(faulty.name()) + ": refused: "));
  }

  TestFolder folder;
  Settings settings;
  std::ostringstream out;
};

const auto wrong_when_timed = AllOf(
    StartsWith("results of timed calls are wrong: "), HasSubstr(": got "),
    HasSubstr(", a new plan's first call gives "), AnyOf(HasSubstr(" batch "), HasSubstr(" row ")));
const auto wrong_afterwards = AllOf(StartsWith("after it was timed, verification failed: "),
                                    HasSubstr(": got "), HasSubstr(", expected "));

TEST_F(Late, AFirstCallsResultsForEverAreRefused) {
  expect_refused(verify::FaultyBackend(stale), wrong_when_timed);
}

TEST_F(Late, ZerosFromTheSecondCallOnAreRefused) {
  expect_refused(verify::FaultyBackend(zeros), wrong_when_timed);
}

TEST_F(Late, HalfOfTheBatchFromSomeCallOnIsRefused) {
  expect_refused(verify::FaultyBackend(half_from_third_call), wrong_when_timed);
}

TEST_F(Late, EachIsRefusedInEveryPhase) {
  for (const Phase phase : {Phase::forward, Phase::backward, Phase::train_step}) {
    settings.phases = {phase};
    for (const Fault& fault : {stale, zeros, half_from_third_call}) {
      expect_refused(verify::FaultyBackend(fault), wrong_when_timed);
    }
  }
}

TEST_F(Late, EachIsRefusedInStacksComposedAndWhole) {
  settings.layers = {1, 2};
  settings.bidirectional = {false, true};
  settings.phases = {Phase::train_step};
  settings.dtypes = {Dtype::f32};
  for (const Fault& fault : {stale, zeros, half_from_third_call}) {
    const verify::FaultyBackend faulty(fault);
    const verify::WholeStackBackend whole(faulty);
    run({&faulty, &whole});
    for (const auto& row : rows()) {
      EXPECT_THAT(results::refusal_of(row).value_or("measured"), wrong_when_timed)
          << row.backend << " layers " << row.layers << " directions " << row.directions;
    }
    EXPECT_EQ(rows().size(), 8u);
  }
}

TEST_F(Late, EachIsRefusedWithLengthsAndPadded) {
  settings.lengths = {Spread::parse("uniform")};
  settings.phases = {Phase::train_step};
  const FaultyBackend takes_none(*backends().front(), {.takes_lengths = false});
  for (const Fault& fault : {stale, zeros, half_from_third_call}) {
    expect_refused(verify::FaultyBackend(fault), wrong_when_timed);
    const verify::FaultyBackend padded(takes_none, fault);
    run({&takes_none, &padded});
    int refused = 0;
    for (const auto& row : rows()) {
      // Both have one name; the honest one comes first.
      refused += results::refusal_of(row) ? 1 : 0;
      EXPECT_EQ(row.verified, results::refusal_of(row) ? "failed" : "full");
    }
    EXPECT_EQ(refused, 2);
    EXPECT_EQ(rows().size(), 2u + 2 * 2);
  }
}

TEST_F(Late, HalfOfTheBatchOnceAPlanWasVerifiedIsRefused) {
  // The cost model's probe is a plan, too, then comes the one that is verified: one for each dtype.
  settings.dtypes = {Dtype::f32};
  for (const int honest : {2, 3}) {
    expect_refused(verify::FaultyBackend(half_after_plans(honest)),
                   AnyOf(wrong_when_timed, wrong_afterwards));
  }
  // All plans from then on are alike, so only the reference can tell.
  expect_refused(verify::FaultyBackend(half_after_plans(2)), wrong_afterwards);
}

TEST_F(Late, HalfOfTheBatchInGradientsOfParametersAloneIsRefused) {
  settings.dtypes = {Dtype::f64};
  expect_refused(verify::FaultyBackend(half_of_weight_gradients),
                 AllOf(wrong_afterwards, AnyOf(HasSubstr("grad.weight"), HasSubstr("grad.bias"))));
}

TEST_F(Late, HalfOfTheBatchWhereTheAddressesAreKnownIsRefused) {
  const auto last = std::make_shared<const void*>(nullptr);
  expect_refused(verify::FaultyBackend(half_at_known_address(last)),
                 AnyOf(wrong_when_timed, wrong_afterwards));
}

TEST_F(Late, WhoLeavesWhatAnotherBackendLeftIsRefused) {
  settings.dtypes = {Dtype::f32};
  const FaultyBackend idle(*backends().front(), {.idle_from_plan = 2});
  expect_refused(idle, AllOf(wrong_when_timed, HasSubstr("nan")));
}

TEST_F(Late, WhoIsRefusedInOnePhaseIsRefusedInAll) {
  // What it does in forward is right: its rows for that are no better.
  const Fault in_backward = Fault::make("backward", []<class T>(FaultContext<T>& c) {
    if (c.backward && c.call > 1) c.grads.params.weight_hh(0, 0) += T(1);
  });
  expect_refused(verify::FaultyBackend(in_backward),
                 AllOf(wrong_when_timed, HasSubstr("grad.weight_hh_l0 row 0 column 0")));
}

TEST_F(Late, OtherLastBitsAreNotWrongButOtherDigitsAre) {
  for (const char* cell : {"lstm", "gru", "rnn:relu"}) {
    settings.cells = {parse_cell(cell)};
    const verify::FaultyBackend good(restless(2));
    EXPECT_FALSE(run({&good}).wrong);
    for (const auto& row : rows()) {
      EXPECT_EQ(row.verified, "full") << row.note;
      EXPECT_GT(*row.max_error, 0);
    }
  }
  settings.cells = {parse_cell("gru")};
  const Fault off = Fault::make("off", []<class T>(FaultContext<T>& c) {
    if (c.call > 2) results_in(c).back()[1] *= 1 + 1000 * std::numeric_limits<T>::epsilon();
  });
  expect_refused(verify::FaultyBackend(off), wrong_when_timed);
}

TEST_F(Late, HonestBackendsPassInFull) {
  const verify::WholeStackBackend whole(*backends().front());
  std::vector<const Backend*> all = backends();
  all.push_back(&whole);
  const auto expect_full = [&](std::size_t at_least) {
    EXPECT_FALSE(run(all).wrong);
    std::size_t measured = 0;
    for (const auto& row : rows()) {
      if (!row.seconds) continue;
      ++measured;
      EXPECT_EQ(row.verified, "full") << row.backend << ": " << row.note;
    }
    EXPECT_GE(measured, at_least);
  };
  settings.cells = {parse_cell("lstm"), parse_cell("gru:reset=after_matmul"),
                    parse_cell("rnn:relu")};
  settings.layers = {1, 2};
  settings.bidirectional = {false, true};
  // naive, blas and whole are always there.
  expect_full(3u * 4 * phases() * 3 * 2);
  settings.cells = {parse_cell("lstm")};
  settings.layers = {2};
  settings.bidirectional = {true};
  settings.threads = {2};
  settings.phases = {Phase::train_step};
  expect_full(2);
}

TEST_F(Late, TheFaultOfAWholeStackIsFoundBeforeItIsTimed) {
  const auto swapped = verify::StackFault::make([]<Real T>(verify::StackCall<T>& c) {
    if (!c.backward) std::swap(c.out.hT(0, 0, 0), c.out.hT(1, 0, 0));
  });
  settings.layers = {2};
  settings.shapes = {{6, 8, 9, 9, {}}};
  expect_refused(verify::WholeStackBackend(*backends().front(), swapped),
                 AllOf(StartsWith("verification failed: "), HasSubstr("hT")));
}

TEST_F(Late, WhatWasInterruptedBeforeItWasJudgedIsNotVerified) {
  const program::InterruptGuard guard;
  settings.dtypes = {Dtype::f32};
  // In the second phase, after a repetition or so.
  const auto calls = std::make_shared<int>(0);
  const Fault interrupt = Fault::make("interrupt", [calls]<class T>(FaultContext<T>& c) {
    if (c.backward && c.plan_number >= 2 && ++*calls == 4) std::raise(SIGINT);
  });
  settings.repetitions = 1000;
  settings.phases = {Phase::backward, Phase::forward};
  const verify::FaultyBackend backend(interrupt);
  const Outcome outcome = run({&backend});
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_FALSE(outcome.wrong);
  EXPECT_FALSE(rows().empty());
  for (const auto& row : rows()) {
    EXPECT_EQ(row.phase, "backward");
    EXPECT_EQ(row.verified, "no");
    EXPECT_EQ(row.note, "interrupted before the results of timed calls were judged");
  }
}

TEST_F(Late, TheProgramEndsAsAfterAnyWrongResult) {
  const Verifier verifier(
      [](const Backend&, const Case&, std::uint64_t) {
        return Verdict{"full", 0.5, ""};
      },
      [](const Backend&, const Case&, std::uint64_t, LayerRun&) {
        return Verdict{"failed", 7.0, "y t=0"};
      });
  const std::string path = folder / "r.csv";
  const char* const argv[] = {"bptt-bench",    "--shape",    "3x2x5",  "--backend", "naive",
                              "--repetitions", "1",          "--bind", "off",       "--limits",
                              "off",           "--min-time", "1e-4",   "--output",  path.c_str()};
  std::ostringstream err;
  EXPECT_EQ(run_program(static_cast<int>(std::size(argv)), argv, verifier, out, err),
            program::numerically_wrong);
  EXPECT_THAT(err.str(), HasSubstr("a check failed"));
  for (const auto& row : rows()) {
    EXPECT_EQ(row.note, "refused: after it was timed, verification failed: y t=0");
    EXPECT_EQ(row.verified, "failed");
    EXPECT_EQ(row.max_error, 7.0);
  }
}

}  // namespace
}  // namespace bptt::bench
