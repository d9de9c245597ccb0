// Sweeps over lengths: which cases they make, what counts in them, and what becomes of a backend
// that takes no lengths.
#include <sstream>

#include <gmock/gmock.h>

#include "bench/bound.hpp"
#include "bench/faulty_backend.hpp"
#include "bench/layer.hpp"
#include "bench/results/csv_reader.hpp"
#include "bench/sweep.hpp"
#include "bench/test_folder.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Backend& naive() {
  return *backends().front();
}

class LengthsSweep : public ::testing::Test {
 protected:
  LengthsSweep() {
    settings.backends = {&naive(), &padding};
    settings.cells = {parse_cell("lstm")};
    settings.dtypes = {Dtype::f64};
    settings.shapes = {{8, 4, 5, {}, {}}};
    settings.lengths = {Spread::parse("full"), Spread::parse("uniform")};
    settings.threads = {1};
    settings.phases = {Phase::train_step};
    settings.repetitions = 2;
    settings.min_seconds = 1e-4;
    settings.max_call_seconds = 100;
  }
  void run(const Verifier& verifier = honest) {
    Journal journal(folder / "r.csv");
    CostModel cost;
    run_sweep(settings, verifier, cost, journal, out);
  }
  std::vector<results::Row> rows() const { return results::read_csv(folder / "r.csv"); }
  static Verdict honest(const Backend&, const Case&, std::uint64_t) {
    return {"full", 0.5, "checked"};
  }
  /// The cases of the settings: with full ones, with lengths.
  Case full() const { return expand(settings).at(0); }
  Case uniform() const { return expand(settings).at(1); }

  const FaultyBackend padding{naive(), {.takes_lengths = false}};
  TestFolder folder;
  Settings settings;
  std::ostringstream out;
};

TEST_F(LengthsSweep, AreCasesOfTheirOwn) {
  ASSERT_EQ(expand(settings).size(), 2u);
  EXPECT_EQ(to_string(full()), "lstm f64 T=8 B=4 I=5 H=5, 1 thread");
  EXPECT_EQ(to_string(uniform()), "lstm f64 T=8 B=4 I=5 H=5, lengths=uniform, 1 thread");
  EXPECT_FALSE(full().spec.lengths);
  EXPECT_TRUE(uniform().spec.lengths);
}

TEST_F(LengthsSweep, LiveStepsCountAndNothingElse) {
  // 2, 4, 6 and 8 of 8 steps.
  EXPECT_EQ(live_steps(full()), 32);
  EXPECT_EQ(live_steps(uniform()), 20);
  for (const Phase phase : {Phase::forward, Phase::backward, Phase::train_step}) {
    EXPECT_DOUBLE_EQ(flops_of(phase, uniform()), flops_of(phase, full()) * 20 / 32);
    EXPECT_LT(touched_bytes(uniform(), phase), touched_bytes(full(), phase));
  }
  // lstm, 4*5 gate rows of f64: x and y of the dead steps are all that forward saves.
  EXPECT_DOUBLE_EQ(least_bytes(full(), Phase::forward) - least_bytes(uniform(), Phase::forward),
                   8 * (32 - 20) * (5 + 5));
  EXPECT_DOUBLE_EQ(touched_bytes(full(), Phase::forward) - touched_bytes(uniform(), Phase::forward),
                   8 * (32 - 20) * (5 + 5));
  EXPECT_EQ(tensor_bytes(uniform()), tensor_bytes(full())) << "the padding has its memory";
  Limits limits;
  limits.fma[{Dtype::f64, 1}] = 1;
  limits.bandwidths = {{"memory", 1, 0, 1e12, 1e12}};
  EXPECT_NEAR(*bound_seconds(uniform(), Phase::forward, limits, {}),
              flops_of(Phase::forward, uniform()), 1e-6);
}

TEST_F(LengthsSweep, RowsSayWhatTheLengthsAre) {
  run();
  int with = 0, without = 0;
  for (const auto& row : rows()) {
    ASSERT_TRUE(row.seconds && row.items_per_second && row.flops) << row.note;
    const bool lengths = row.options == "lengths=uniform";
    ++(lengths ? with : without);
    EXPECT_EQ(row.live_steps, lengths ? 20 : 32);
    EXPECT_NEAR(*row.items_per_second * *row.seconds, lengths ? 20 : 32, 1e-9);
    EXPECT_EQ(*row.flops,
              3 * forward_flops(Spec{parse_cell("lstm"), {8, 4, 5, 5}}, *row.live_steps));
    if (!lengths) {
      EXPECT_EQ(row.padding, "");
    }
  }
  EXPECT_EQ(with, 4);
  EXPECT_EQ(without, 4);
}

TEST_F(LengthsSweep, ABackendWithoutLengthsRunsPaddedAndItsRowSaysSo) {
  run();
  for (const auto& row : rows()) {
    if (row.options.empty()) continue;
    if (row.backend == "faulty") {
      EXPECT_EQ(row.padding, "computed");
      EXPECT_EQ(row.note,
                "checked; padded: the backend takes no lengths; it computed all 32 steps, of which "
                "20 count");
    } else {
      EXPECT_EQ(row.padding, "skipped");
      EXPECT_EQ(row.note, "checked");
    }
  }
}

TEST_F(LengthsSweep, EachIsVerifiedAsWhatItRuns) {
  std::vector<std::string> asked;
  run([&](const Backend& backend, const Case& c, std::uint64_t) {
    asked.push_back(std::string(backend.name()) + (c.spec.lengths ? " lengths" : " all"));
    return Verdict{"full", 0.5, ""};
  });
  EXPECT_THAT(asked,
              ::testing::ElementsAre("naive all", "faulty all", "naive lengths", "faulty all"));
}

TEST_F(LengthsSweep, WhoRefusesBothIsRefusedForItsOwnReason) {
  const FaultyBackend neither(naive(), {.takes_lengths = false, .refuses = "it is too late"});
  settings.backends = {&neither};
  run();
  for (const auto& row : rows()) {
    EXPECT_EQ(results::refusal_of(row), "it is too late");
    EXPECT_EQ(row.padding, "");
    EXPECT_EQ(row.live_steps, row.options.empty() ? 32 : 20);
  }
}

TEST_F(LengthsSweep, StacksHaveLengthsToo) {
  settings.layers = {2};
  settings.bidirectional = {true};
  run();
  for (const auto& row : rows()) {
    EXPECT_TRUE(row.seconds) << row.note;
    EXPECT_EQ(row.stack, "composed");
    if (row.options.empty()) continue;
    EXPECT_EQ(row.padding, row.backend == "faulty" ? "computed" : "skipped");
  }
}

TEST_F(LengthsSweep, ACaseThatIsPaddedCostsAllItsSteps) {
  CostModel cost;
  const double rate =
      flops_of(Phase::forward, full()) / cost.call_seconds(padding, full(), Phase::forward);
  EXPECT_DOUBLE_EQ(cost.call_seconds(padding, uniform(), Phase::forward) * rate,
                   flops_of(Phase::forward, full()));
  EXPECT_LT(cost.call_seconds(naive(), uniform(), Phase::forward),
            cost.call_seconds(naive(), full(), Phase::forward));
}

/// Remembers what forward was given.
class Onlooker final : public Backend {
 public:
  Onlooker() : Backend("onlooker") {}
  std::string version() const override { return "1"; }
  bool same_for_all_threads(const Exec&) const override { return true; }
  mutable std::vector<Index> lengths;
  mutable std::vector<double> x;
  mutable bool takes_lengths = true;

 private:
  class Looking final : public Plan<double> {
   public:
    Looking(const Onlooker& owner, const Spec& spec, const Exec& exec)
        : Plan<double>(spec, exec), owner_(owner) {}
    std::size_t workspace_bytes() const override { return 0; }

   private:
    void do_forward(const Params<const double>&, const Inputs<const double>& in,
                    const Outputs<double>&) override {
      owner_.lengths.assign(in.lengths.begin(), in.lengths.end());
      owner_.x.assign(in.x.begin(), in.x.end());
    }
    void do_backward(const Params<const double>&, const Inputs<const double>&,
                     const OutputGrads<const double>&, const Grads<double>&) override {}
    const Onlooker& owner_;
  };
  std::optional<std::string> do_refusal(const Spec& spec, Dtype, const Exec&) const override {
    if (spec.lengths && !takes_lengths) return "none";
    return std::nullopt;
  }
  std::size_t do_workspace_bytes(const Spec&, Dtype, const Exec&) const override { return 0; }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec&,
                                       const Exec&) const override {
    return nullptr;
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return std::make_unique<Looking>(*this, spec, exec);
  }
};

TEST_F(LengthsSweep, WhoTakesLengthsAndWhoPadsReadTheSameTensors) {
  const auto layer = Layer::make(uniform(), 3);
  Onlooker onlooker;
  layer->plan(onlooker)->forward();
  EXPECT_EQ(onlooker.lengths, uniform().lengths.lengths(8, 4, 3));
  const std::vector<Index> lengths = onlooker.lengths;
  const std::vector<double> x = onlooker.x;
  onlooker.takes_lengths = false;
  layer->plan(onlooker)->forward();
  EXPECT_TRUE(onlooker.lengths.empty());
  EXPECT_EQ(onlooker.x, x);
  for (std::size_t t = 0; t < 8; ++t) {
    for (std::size_t b = 0; b < 4; ++b) {
      const bool live = static_cast<Index>(t) < lengths[b];
      for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(x[(t * 4 + b) * 5 + i] != 0, live);
    }
  }
}

}  // namespace
}  // namespace bptt::bench
