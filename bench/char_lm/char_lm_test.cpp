// Tiny trainings: every backend learns and agrees; a wrong one is caught.
#include "bench/char_lm/char_lm.hpp"

#include <map>
#include <sstream>

#include <gmock/gmock.h>

#include "bench/faulty_backend.hpp"
#include "bench/results/csv_reader.hpp"
#include "bench/test_folder.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {
namespace {

using ::testing::HasSubstr;

std::string nursery_rhyme() {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "the cat sat on the mat; the dog sat on the log. ";
  return text;
}

class CharLm : public ::testing::Test {
 protected:
  CharLm() {
    settings.workload = Settings::Workload::char_lm;
    settings.backends = own_backends();
    settings.cells = {parse_cell("lstm")};
    settings.dtypes = {Dtype::f32};
    settings.shapes = {{16, 4, 16, {}, {}}};
    settings.threads = {1};
    settings.phases = {Phase::train_step};
    settings.max_call_seconds = 100;
    settings.training.steps = 50;
    settings.training.learning_rate = 1;
    settings.training.clip_norm = 1;
    settings.seed = 1;
  }

  Outcome run(const Verifier& verifier = honest) {
    Journal journal(folder / "r.csv");
    CharLmFiles files(settings, corpus);
    return run_char_lm(settings, corpus, files, verifier, *backends().front(), journal, out);
  }
  std::vector<results::Row> rows() const { return results::read_csv(folder / "r.csv"); }

  static Verdict honest(const Backend&, const Case&, std::uint64_t) { return {"full", 0.5, ""}; }

  TestFolder folder;
  Settings settings;
  Corpus corpus{nursery_rhyme(), "rhyme"};
  std::ostringstream out;
};

TEST_F(CharLm, EveryBackendLearnsAndAgrees) {
  for (const Dtype dtype : all_dtypes) {
    for (const char* cell : {"lstm", "gru:reset=after_matmul:update=keep", "rnn"}) {
      settings.dtypes = {dtype};
      settings.cells = {parse_cell(cell)};
      const Outcome outcome = run();
      EXPECT_FALSE(outcome.wrong) << cell << out.str();
      EXPECT_FALSE(outcome.interrupted);
    }
  }
}

TEST_F(CharLm, EveryBackendLearnsAndAgreesInTwoLayersAndTruncated) {
  settings.layers = {2};
  settings.training.optimizer = net::parse_optimizer("adam");
  settings.training.learning_rate = 0.02;
  settings.training.truncation = net::Truncation{8, 12};
  settings.shapes = {{12, 4, 16, {}, {}}};
  for (const Dtype dtype : all_dtypes) {
    settings.dtypes = {dtype};
    const Outcome outcome = run();
    EXPECT_FALSE(outcome.wrong || outcome.inconclusive || outcome.broken) << out.str();
    for (const auto& row : rows()) {
      EXPECT_EQ(row.layers, 2);
      EXPECT_EQ(row.T, 12);
      EXPECT_EQ(row.options, "k1=8");
      EXPECT_NEAR(*row.items_per_second * *row.seconds, 8 * 4, 1e-9);
    }
  }
}

TEST_F(CharLm, OneRowForEachBackendAndStep) {
  settings.training.steps = 5;
  run();
  std::map<std::pair<std::string, Index>, int> count;
  for (const auto& row : rows()) {
    ++count[{row.backend, row.repetition}];
    EXPECT_EQ(row.workload, "char-lm");
    EXPECT_EQ(row.phase, "train_step");
    EXPECT_EQ(row.I, corpus.alphabet_size());
    EXPECT_EQ(row.verified, "full");
    ASSERT_TRUE(row.loss && row.seconds && row.items_per_second && row.noise);
    EXPECT_GT(*row.loss, 1);
    EXPECT_LT(*row.loss, 4);
    EXPECT_NEAR(*row.items_per_second * *row.seconds, 16 * 4, 1e-9);
  }
  EXPECT_EQ(count.size(), own_backends().size() * 5);
  for (const auto& [key, rows] : count) EXPECT_EQ(rows, 1);
}

TEST_F(CharLm, AGradientThatIsOnePercentOffIsCaughtAndNamed) {
  const FaultyBackend faulty(*backends().front(), {.weight_hh = 1.01});
  settings.backends = {backends().front(), &faulty};
  EXPECT_TRUE(run().wrong);
  EXPECT_THAT(out.str(), HasSubstr("loss disagrees with the reference from step"));
  for (const auto& row : rows()) {
    EXPECT_EQ(row.verified, row.backend == "faulty" ? "failed" : "full");
    EXPECT_EQ(row.note.empty(), row.backend != "faulty");
  }
}

TEST_F(CharLm, ATrainingThatDoesNotLearnIsInconclusive) {
  settings.training.learning_rate = 1e-6;
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.inconclusive);
  EXPECT_FALSE(outcome.wrong);
  EXPECT_THAT(out.str(), HasSubstr("loss did not fall enough"));
  // The backends are not to blame.
  for (const auto& row : rows()) EXPECT_EQ(row.verified, "full");
}

TEST_F(CharLm, AChaoticTrainingIsInconclusive) {
  settings.cells = {parse_cell("rnn")};
  settings.training.learning_rate = 200;
  settings.training.steps = 100;
  settings.training.clip_norm = 10;
  EXPECT_TRUE(run().inconclusive) << out.str();
  EXPECT_THAT(out.str(), HasSubstr("rounding alone moves the loss"));
}

TEST_F(CharLm, WhatFailsVerificationIsNotTrained) {
  const auto verdict = run([](const Backend&, const Case&, std::uint64_t) {
    return Verdict{"failed", 7.0, "grad.x is off"};
  });
  EXPECT_TRUE(verdict.wrong);
  EXPECT_EQ(rows().size(), own_backends().size());
  for (const auto& row : rows()) {
    EXPECT_EQ(results::refusal_of(row), "verification failed: grad.x is off");
    EXPECT_EQ(row.verified, "failed");
  }
}

TEST_F(CharLm, TheSameSeedGivesTheSameLosses) {
  settings.training.steps = 3;
  settings.backends = {backends().front()};
  run();
  const auto first = rows();
  run();
  const auto second = rows();
  settings.seed = 2;
  run();
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].loss, second[i].loss);
  EXPECT_NE(first[0].loss, rows()[0].loss);
}

TEST_F(CharLm, AnUnexpectedFailureIsItsRowsNote) {
  const FaultyBackend broken(*backends().front(), {.good_calls = 3});
  settings.backends = {&broken, backends().front()};
  settings.training.steps = 6;
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.broken);
  EXPECT_FALSE(outcome.wrong);
  Index good = 0;
  for (const auto& row : rows()) {
    if (row.backend == "faulty") {
      EXPECT_EQ(results::refusal_of(row), "failed unexpectedly: vector too long");
    } else {
      ++good;
    }
  }
  EXPECT_EQ(good, 6);
}

TEST_F(CharLm, AFailureInVerificationIsNoEndOfTheRunEither) {
  const auto outcome = run([](const Backend& backend, const Case&, std::uint64_t) -> Verdict {
    if (&backend == own_backends().back()) throw std::runtime_error("no such luck");
    return {"full", 0.5, ""};
  });
  EXPECT_TRUE(outcome.broken);
  EXPECT_EQ(results::refusal_of(rows().front()), "failed unexpectedly: no such luck");
  EXPECT_EQ(rows().size(), 1 + (own_backends().size() - 1) * 50);
}

TEST_F(CharLm, WhatDoesNotFitBesideTheReferenceIsARefusedRow) {
  settings.shapes = {{16, 4, 2000000, {}, {}}};
  settings.training.steps = 1;
  settings.max_call_seconds = 1e30;
  EXPECT_FALSE(run().wrong);
  EXPECT_EQ(rows().size(), own_backends().size());
  for (const auto& row : rows()) {
    EXPECT_THAT(*results::refusal_of(row),
                ::testing::AllOf(HasSubstr("the reference, which curves are compared with, needs"),
                                 HasSubstr("--compare-curves off")));
  }
  settings.training.compare_curves = false;
  run();
  for (const auto& row : rows()) EXPECT_THAT(*results::refusal_of(row), HasSubstr("are free"));
}

TEST_F(CharLm, WithoutComparisonNobodyTrainsAlong) {
  const FaultyBackend faulty(*backends().front(), {.weight_hh = 1.01});
  settings.backends = {&faulty};
  settings.training.compare_curves = false;
  EXPECT_FALSE(run().wrong);
  EXPECT_THAT(out.str(), HasSubstr("not compared"));
}

TEST_F(CharLm, LeavesItsModelAndBeginsWithIt) {
  settings.training.save_weights = folder / "w";
  settings.training.dump_logits = folder / "l";
  settings.training.sample = 30;
  run();
  EXPECT_THAT(out.str(), HasSubstr("30 characters that it makes up"));
  const double last_loss = *rows().back().loss;
  const auto trained = io::Safetensors::read(folder / "l").reals("logits");
  const std::string first_model = out.str().substr(out.str().find("the model of"));

  // Used without training, it is the same model: the same logits, the same text.
  settings.training.load_weights = folder / "w";
  settings.training.save_weights = "";
  settings.training.steps = 0;
  out.str("");
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.used);
  EXPECT_EQ(io::Safetensors::read(folder / "l").reals("logits"), trained);
  EXPECT_TRUE(rows().empty());
  const auto said = [](const std::string& text) { return text.substr(text.find("  30 char")); };
  EXPECT_EQ(said(out.str()), said(first_model));

  // Trained further, it begins where it ended, and need not fall by a tenth again.
  settings.training.steps = 5;
  settings.training.learning_rate = 1e-3;
  EXPECT_FALSE(run().wrong);
  EXPECT_LT(*rows().front().loss, 1.1 * last_loss);
}

TEST_F(CharLm, ATrainingThatDisagreesLeavesNoModel) {
  const FaultyBackend faulty(*backends().front(), {.weight_hh = 1.01});
  settings.backends = {&faulty};
  settings.training.save_weights = folder / "w";
  EXPECT_TRUE(run().wrong);
  EXPECT_THAT(out.str(), HasSubstr("no training is sound: no model is left"));
  EXPECT_FALSE(std::filesystem::exists(folder / "w"));
}

TEST_F(CharLm, ADivergedTrainingIsNoBackendsFaultAndLeavesTheFilesAlone) {
  settings.training.save_weights = folder / "w";
  settings.training.dump_logits = folder / "l";
  settings.training.sample = 5;
  settings.training.optimizer = net::parse_optimizer("adam");
  settings.training.learning_rate = 3e38;
  settings.training.steps = 4;
  std::ofstream(folder / "w") << "a good model";
  for (const bool compared : {true, false}) {
    settings.training.compare_curves = compared;
    out.str("");
    const Outcome outcome = run();
    EXPECT_TRUE(outcome.inconclusive);
    EXPECT_FALSE(outcome.wrong || outcome.broken || outcome.used) << out.str();
    EXPECT_THAT(out.str(), HasSubstr("its model is not finite: no model is left, " +
                                     (folder / "w") + " stays as it was\n"));
    EXPECT_EQ(text_in(folder / "w"), "a good model");
    EXPECT_FALSE(std::filesystem::exists(folder / "l"));
    for (const auto& row : rows()) EXPECT_EQ(row.verified, compared ? "full" : "reduced");
  }
}

TEST_F(CharLm, AWeightsFileOfAnotherModelIsRefusedBeforeMemoryIsTaken) {
  settings.training.save_weights = folder / "w";
  settings.training.steps = 1;
  run();
  settings.training.load_weights = folder / "w";
  settings.shapes = {{16, 4, 2000000, {}, {}}};
  settings.layers = {20};
  const auto complaint = [&] {
    try {
      CharLmFiles(settings, corpus);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(complaint(), HasSubstr("layers: expected 20; got 1"));
  // Without a description the tensors' extents tell.
  io::SafetensorsWriter bare;
  const auto stored = io::Safetensors::read(folder / "w");
  for (const auto& [name, tensor] : stored.tensors()) {
    const auto values = stored.reals(name);
    bare.add(name, tensor.shape, std::span<const double>(values));
  }
  io::AtomicFile(folder / "w").commit(bare.bytes());
  EXPECT_THAT(complaint(), HasSubstr("tensor 'weight_ih_l0': expected extents [8000000,"));
}

TEST_F(CharLm, ATextThatIsTooShortIsBadData) {
  settings.shapes = {{1000, 1000, 16, {}, {}}};
  EXPECT_THROW(run(), Error);
}

}  // namespace
}  // namespace bptt::bench
