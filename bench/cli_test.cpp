// bptt-bench as a user meets it: exit codes, messages, files, Ctrl-C.
#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>
#include <signal.h>

#include "bench/cli_run.hpp"
#include "bench/results/csv_reader.hpp"

namespace bptt::bench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(Cli, HelpHasGroupsAndExamples) {
  const Result result = run({"--help"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, AllOf(StartsWith("usage: bptt-bench"), HasSubstr("What to measure:"),
                                HasSubstr("How to measure:"), HasSubstr("Examples:"),
                                HasSubstr("Exit codes:")));
}

TEST_F(Cli, ARunWritesRowsAndItsEnvironment) {
  const std::string csv = folder / "r.csv";
  const Result result = run(with(tiny, {"--output", csv, "--phase", "forward,train_step"}));
  EXPECT_EQ(result.code, 0) << result.err;
  std::map<std::tuple<std::string, std::string, Index>, int> count;
  for (const auto& row : results::read_csv(csv)) {
    ++count[{row.backend, row.phase, row.repetition}];
    EXPECT_THAT(row.verified, ::testing::AnyOf("full", "reduced"));
    EXPECT_TRUE(row.peak_gflops);
  }
  EXPECT_GE(count.size(), 4u);
  for (const auto& [key, rows] : count) EXPECT_EQ(rows, 1);
  EXPECT_THAT(text_in(folder / "r.environment.json"), HasSubstr("live_kernels"));
  EXPECT_EQ(text_in(folder / "environment.json"), text_in(folder / "r.environment.json"));
  // Progress is for terminals.
  EXPECT_THAT(result.err, ::testing::Not(HasSubstr("\r")));
}

TEST_F(Cli, CharLmTrains) {
  std::ofstream(folder / "text") << [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "round and round the ragged rock ";
    return text;
  }();
  const std::string csv = folder / "r.csv";
  const Result result = run({"--workload", "char-lm", "--text", folder / "text", "--seq-len", "8",
                             "--batch", "4", "--hidden", "16", "--steps", "40", "--output", csv});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_EQ(results::read_csv(csv).size() % 40, 0u);
}

TEST_F(Cli, CharLmLeavesAModelAndContinuesIt) {
  std::ofstream(folder / "text") << [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "round and round the ragged rock\n";
    return text;
  }();
  const std::vector<std::string> model = {
      "--workload", "char-lm", "--text", folder / "text", "--hidden", "12",       "--layers",
      "2",          "--batch", "4",      "--truncate",    "6,8",      "--output", folder / "r.csv"};
  const std::string weights = folder / "w.safetensors";
  const Result trained =
      run(with(model, {"--steps", "30", "--save-weights", weights, "--sample", "60"}));
  EXPECT_EQ(trained.code, 0) << trained.out << trained.err;
  EXPECT_THAT(trained.out, AllOf(HasSubstr("weights: " + weights), HasSubstr("60 characters")));
  for (const auto& row : results::read_csv(folder / "r.csv")) {
    EXPECT_EQ(row.layers, 2);
    EXPECT_EQ(row.options, "k1=6");
  }
  // The same model, put to use without training, says the same.
  const auto said = [](const std::string& out) {
    return out.substr(out.find("60 characters"), out.find("r.csv") - out.find("60 characters"));
  };
  const Result used =
      run(with(model, {"--steps", "0", "--load-weights", weights, "--sample", "60"}));
  EXPECT_EQ(used.code, 0) << used.err;
  EXPECT_EQ(said(used.out).substr(0, 100), said(trained.out).substr(0, 100));
  for (const auto& row : results::read_csv(folder / "r.csv")) {
    EXPECT_TRUE(results::refusal_of(row)) << "a training of no steps was measured";
  }

  expect_refused(with(model, {"--save-weights", folder / "text"}), 64,
                 "--save-weights and --text: expected different files");
  std::vector<std::string> huge = model;
  std::replace(huge.begin(), huge.end(), std::string("12"), std::string("20000"));
  expect_refused(with(huge, {"--steps", "0", "--load-weights", weights}), 65,
                 "w.safetensors: metadata 'bptt': H: expected 20000; got 12");
  expect_refused(with(model, {"--load-weights", weights, "--cell", "gru"}), 65,
                 "w.safetensors: metadata 'bptt': spelled: expected \"gru\"; got \"lstm\"");
  expect_refused(with(model, {"--load-weights", folder / "text"}), 65, "text: ");
  expect_refused(with(model, {"--load-weights", folder / "nowhere"}), 65, "nowhere: expected");
  const std::string whole = text_in(weights);
  std::ofstream(folder / "cut") << whole.substr(0, whole.size() - 5);
  expect_refused(with(model, {"--load-weights", folder / "cut"}), 65, "cut: tensor '");
  expect_refused(with(model, {"--save-weights", folder / "nowhere/w"}), 69,
                 "nowhere/w: cannot write it: No such file or directory");
  expect_refused(with(model, {"--prime", "Round", "--sample", "5"}), 64,
                 "--prime: expected bytes that occur in");
}

TEST_F(Cli, CharLmThatDivergesOrDoesNotLearnIsInconclusive) {
  std::ofstream(folder / "text") << [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "round and round the ragged rock\n";
    return text;
  }();
  const std::string weights = folder / "w";
  std::ofstream(weights) << "a good model";
  const std::vector<std::string> model = {
      "--workload", "char-lm", "--text",   folder / "text",  "--hidden",  "8",    "--batch", "4",
      "--seq-len",  "8",       "--output", folder / "r.csv", "--backend", "naive"};
  const Result diverged =
      run(with(model, {"--steps", "4", "--learning-rate", "3e38", "--save-weights", weights}));
  EXPECT_EQ(diverged.code, 3) << diverged.out << diverged.err;
  EXPECT_THAT(diverged.out, HasSubstr("no model is left, " + weights + " stays as it was"));
  EXPECT_THAT(last_line(diverged.err), HasSubstr("a training is inconclusive"));
  EXPECT_EQ(text_in(weights), "a good model");
  const Result still = run(with(model, {"--steps", "40", "--learning-rate", "1e-30"}));
  EXPECT_EQ(still.code, 3) << still.out << still.err;
  EXPECT_THAT(still.out, HasSubstr("loss did not fall enough"));
}

TEST_F(Cli, StacksAreTimed) {
  const std::string csv = folder / "r.csv";
  const Result result =
      run(with(tiny, {"--output", csv, "--layers", "1,2", "--bidirectional", "off,on"}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("2 layers, both directions"));
  std::map<std::pair<Index, Index>, int> count;
  for (const auto& row : results::read_csv(csv)) {
    ++count[{row.layers, row.directions}];
    EXPECT_THAT(row.verified, ::testing::AnyOf("full", "reduced"));
  }
  EXPECT_EQ(count.size(), 4u);
}

TEST_F(Cli, SequencesOfDifferentLengthsAreTimedOnEveryBackend) {
  std::ofstream(folder / "words.txt") << "# words of a sentence\n3\n1\n";
  const std::string csv = folder / "r.csv";
  const Result result = run(with(
      tiny, {"--output", csv, "--lengths", "full,uniform," + std::string(folder / "words.txt")}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("lengths=words.txt"));
  std::map<std::string, std::set<std::string>> backends;
  for (const auto& row : results::read_csv(csv)) {
    EXPECT_TRUE(row.seconds) << row.backend << ": " << row.note;
    EXPECT_EQ(row.verified, "full") << row.backend << ": " << row.note;
    // T=3 B=2: 6 steps, 2 and 3, 1 and 3.
    EXPECT_EQ(row.live_steps, row.options.empty() ? 6 : row.options == "lengths=uniform" ? 5 : 4);
    EXPECT_EQ(row.padding.empty(), row.options.empty());
    EXPECT_EQ(row.padding == "computed", row.note.find("padded: ") != std::string::npos);
    if (row.origin == "own" && !row.options.empty()) {
      EXPECT_EQ(row.padding, "skipped");
    }
    backends[row.options].insert(row.backend);
  }
  ASSERT_EQ(backends.size(), 3u);
  EXPECT_EQ(backends["lengths=words.txt"], backends[""]);
  EXPECT_EQ(backends["lengths=uniform"], backends[""]);
}

TEST_F(Cli, AnInterruptKeepsWhatWasMeasured) {
  const std::string csv = folder / "r.csv";
  const pid_t child = start({"--hidden", "1:900:+1", "--seq-len", "2", "--batch", "1", "--min-time",
                             "0.001", "--repetitions", "2", "--output", csv});
  const auto lines = [&] {
    const std::string text = text_in(csv);
    return std::count(text.begin(), text.end(), '\n');
  };
  for (int waited = 0; waited < 1000 && lines() < 10; ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  kill(child, SIGINT);
  const Result result = finish(child);
  EXPECT_EQ(result.code, 130) << result.err;
  EXPECT_GE(results::read_csv(csv).size(), 9u);
  EXPECT_THAT(result.out, HasSubstr("interrupted"));
}

TEST_F(Cli, KernelsThatAreNotTheBestAreFoundWithTheirFactor) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "no core types are known of this architecture";
#endif
  setenv("OPENBLAS_CORETYPE", "Prescott", 1);
  const Result result = run({"--doctor", "--strict"});
  unsetenv("OPENBLAS_CORETYPE");
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.out, AllOf(HasSubstr("blas-kernels: OpenBLAS runs its Prescott kernels"),
                                HasSubstr("costs: measured: "), HasSubstr(" times as fast")));
}

TEST_F(Cli, NothingMeasuredIsNotGood) {
  const std::string csv = folder / "r.csv";
  const Result result = run(with(tiny, {"--output", csv, "--max-call", "1e-12"}));
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(last_line(result.err), HasSubstr("nothing was measured"));
  for (const auto& row : results::read_csv(csv)) EXPECT_TRUE(results::refusal_of(row));
}

TEST_F(Cli, WhatCannotBeWrittenIsToldBeforeMeasuring) {
  expect_refused(with(tiny, {"--output", folder / "nowhere/r.csv"}), 69,
                 "nowhere/r.csv: cannot write the results file: No such file or directory");
  expect_refused(with(tiny, {"--output", "/dev/full"}), 69,
                 "/dev/full: cannot write the results file: No space left on device");
}

TEST_F(Cli, BadUsageIsOneLine) {
  expect_refused({"--hiden", "8"}, 64, "hiden");
  expect_refused({"--hidden", "8:4:x2"}, 64, "--hidden: expected a range");
  expect_refused({"--backend", "nobody"}, 64, "'nobody'");
  expect_refused({"--cell", "lstm:relu"}, 64, "lstm:relu");
  expect_refused({"--repetitions", "many"}, 64, "repetitions");
  expect_refused({"--preset", "none"}, 64, "--preset");
  expect_refused({"--layers", "0"}, 64, "--layers: expected a value of at least 1; got '0'");
  expect_refused({"--bidirectional", "maybe"}, 64, "--bidirectional: expected on or off");
  expect_refused({"--lengths", "random"}, 64, "--lengths: expected full, uniform, ");
  expect_refused({"--recompute", "some"}, 64, "recompute: expected one of none, gates");
  expect_refused({"--workload", "char-lm", "--optimizer", "sgd:beta1=1"}, 64, "--optimizer: ");
  expect_refused({"--workload", "char-lm", "--truncate", "5,3"}, 64, "--truncate: expected K1");
}

TEST_F(Cli, BadInputIsNamed) {
  const std::string nowhere = folder / "nowhere.txt";
  expect_refused({"--workload", "char-lm", "--text", nowhere, "--output", folder / "r.csv"}, 65,
                 nowhere);
  expect_refused({"--lengths", nowhere}, 65, nowhere + ": cannot read the lengths");
  std::ofstream(folder / "words.txt") << "3\nfour\n";
  expect_refused({"--lengths", folder / "words.txt"}, 65, "words.txt:2: expected a length");
  std::ofstream(folder / "p.ini") << "hiden = 8\n";
  expect_refused({"--preset", folder / "p.ini"}, 65, "p.ini");
  // Nothing is left behind by a run that never began.
  EXPECT_FALSE(std::filesystem::exists(folder / "r.csv"));
}

TEST_F(Cli, ListsAndDryRunsMeasureNothing) {
  EXPECT_THAT(run({"--list-backends"}).out, HasSubstr("naive"));
  EXPECT_THAT(run({"--list-presets"}).out, AllOf(HasSubstr("quick"), HasSubstr("deepbench")));
  const std::string csv = folder / "r.csv";
  const Result result = run({"--hidden", "8,16", "--dry-run", "--output", csv});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("memory"), HasSubstr("2 cases"), HasSubstr("can run, in about"),
                    ::testing::Not(HasSubstr("layers"))));
  EXPECT_FALSE(std::filesystem::exists(csv));
  EXPECT_THAT(
      run({"--layers", "1,2", "--recompute", "none,gates", "--hidden", "8", "--dry-run"}).out,
      AllOf(HasSubstr("4 cases"), HasSubstr("layers"), HasSubstr("recompute"),
            ::testing::Not(HasSubstr("directions"))));
  EXPECT_THAT(run({"--lengths", "full,25%", "--hidden", "8", "--dry-run"}).out,
              AllOf(HasSubstr("2 cases"), HasSubstr("lengths"), HasSubstr("25%")));
}

}  // namespace
}  // namespace bptt::bench
