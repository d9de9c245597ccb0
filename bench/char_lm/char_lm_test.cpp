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
    settings.backends = backends();
    settings.cells = {parse_cell("lstm")};
    settings.dtypes = {Dtype::f32};
    settings.shapes = {{16, 4, 16, {}, {}}};
    settings.threads = {1};
    settings.phases = {Phase::train_step};
    settings.max_call_seconds = 100;
    settings.steps = 50;
    settings.learning_rate = 1;
    settings.clip_norm = 1;
    settings.seed = 1;
  }

  Outcome run(const Verifier& verifier = honest) {
    Journal journal(folder / "r.csv");
    return run_char_lm(settings, corpus, verifier, journal, out);
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

TEST_F(CharLm, OneRowForEachBackendAndStep) {
  settings.steps = 5;
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
  EXPECT_EQ(count.size(), backends().size() * 5);
  for (const auto& [key, rows] : count) EXPECT_EQ(rows, 1);
}

TEST_F(CharLm, AGradientThatIsOnePercentOffIsCaughtAndNamed) {
  const FaultyBackend faulty(*backends().front(), 1.01);
  settings.backends = {backends().front(), &faulty};
  EXPECT_TRUE(run().wrong);
  EXPECT_THAT(out.str(), HasSubstr("loss disagrees with the reference from step"));
  for (const auto& row : rows()) {
    EXPECT_EQ(row.verified, row.backend == "faulty" ? "failed" : "full");
    EXPECT_EQ(row.note.empty(), row.backend != "faulty");
  }
}

TEST_F(CharLm, ATrainingThatDoesNotLearnIsNotGood) {
  settings.learning_rate = 1e-6;
  EXPECT_TRUE(run().wrong);
  EXPECT_THAT(out.str(), HasSubstr("loss did not fall enough"));
  // The backends are not to blame.
  for (const auto& row : rows()) EXPECT_EQ(row.verified, "full");
}

TEST_F(CharLm, AChaoticTrainingIsInconclusive) {
  settings.cells = {parse_cell("rnn")};
  settings.learning_rate = 50;
  settings.clip_norm = 10;
  EXPECT_TRUE(run().inconclusive);
  EXPECT_THAT(out.str(), HasSubstr("rounding alone moves the loss"));
}

TEST_F(CharLm, WhatFailsVerificationIsNotTrained) {
  const auto verdict = run([](const Backend&, const Case&, std::uint64_t) {
    return Verdict{"failed", 7.0, "grad.x is off"};
  });
  EXPECT_TRUE(verdict.wrong);
  EXPECT_EQ(rows().size(), backends().size());
  for (const auto& row : rows()) {
    EXPECT_EQ(results::refusal_of(row), "verification failed: grad.x is off");
    EXPECT_EQ(row.verified, "failed");
  }
}

TEST_F(CharLm, TheSameSeedGivesTheSameLosses) {
  settings.steps = 3;
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

TEST_F(CharLm, ATextThatIsTooShortIsBadData) {
  settings.shapes = {{1000, 1000, 16, {}, {}}};
  EXPECT_THROW(run(), Error);
}

}  // namespace
}  // namespace bptt::bench
