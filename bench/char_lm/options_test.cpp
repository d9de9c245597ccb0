// The flags of char-lm, as the command line gives them.
#include "bench/char_lm/options.hpp"

#include <gmock/gmock.h>

#include "bench/settings.hpp"

namespace bptt::bench {
namespace {

using ::testing::HasSubstr;

Settings parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"bptt-bench", "--workload", "char-lm"});
  const auto line = command_line();
  const int count = static_cast<int>(arguments.size());
  return settings_of(line, *line.parse(count, arguments.data()),
                     line.given(count, arguments.data()));
}

std::string complaint(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

TEST(TrainingOptions, AreUnderstood) {
  const TrainingOptions o = parse({"--optimizer",      "sgd:momentum=0.9",
                                   "--init",           "orthogonal",
                                   "--forget-bias",    "-1.5",
                                   "--truncate",       "8,24",
                                   "--sample",         "20",
                                   "--temperature",    "0",
                                   "--prime",          "The",
                                   "--save-weights",   "w",
                                   "--dump-logits",    "l",
                                   "--compare-curves", "off"})
                                .training;
  EXPECT_EQ(to_string(o.optimizer), "sgd:momentum=0.9");
  EXPECT_EQ(o.init, net::Init::orthogonal);
  EXPECT_EQ(o.forget_bias, -1.5);
  EXPECT_EQ(o.truncation, (net::Truncation{8, 24}));
  EXPECT_EQ(o.sample, 20);
  EXPECT_EQ(o.temperature, 0);
  EXPECT_EQ(o.prime, "The");
  EXPECT_EQ(o.save_weights, "w");
  EXPECT_EQ(o.dump_logits, "l");
  EXPECT_FALSE(o.compare_curves);
}

TEST(TrainingOptions, WhatTruncationReachesBackIsTheSequenceLength) {
  EXPECT_EQ(parse({"--truncate", "8,24"}).shapes.front().T, 24);
  EXPECT_EQ(parse({"--truncate", "8"}).shapes.front().T, 8);
  EXPECT_EQ(parse({}).shapes.front().T, 32);
  EXPECT_THAT(complaint({"--truncate", "8", "--seq-len", "8"}), HasSubstr("--truncate: expected"));
  EXPECT_THAT(complaint({"--truncate", "8", "--shape", "8x1x8"}),
              HasSubstr("--truncate: expected"));
}

TEST(TrainingOptions, ComplaintsNameTheFlag) {
  EXPECT_THAT(complaint({"--optimizer", "lamb"}), HasSubstr("--optimizer: optimizer: expected"));
  EXPECT_THAT(complaint({"--init", "zero"}), HasSubstr("--init: init: expected one of uniform"));
  EXPECT_THAT(complaint({"--truncate", "9,3"}), HasSubstr("--truncate: expected K1 or K1,K2"));
  EXPECT_THAT(complaint({"--temperature", "-1"}),
              HasSubstr("--temperature: expected a number of at least 0; got -1"));
  EXPECT_THAT(complaint({"--temperature", "nan"}), HasSubstr("--temperature: expected"));
  EXPECT_THAT(complaint({"--sample", "-1"}), HasSubstr("--sample: expected 0.."));
  EXPECT_THAT(complaint({"--forget-bias", "inf"}), HasSubstr("--forget-bias: expected a finite"));
  EXPECT_THAT(complaint({"--learning-rate", "0"}), HasSubstr("--learning-rate: expected a number"));
  EXPECT_THAT(complaint({"--compare-curves", "perhaps"}),
              HasSubstr("--compare-curves: expected on"));
  EXPECT_THAT(complaint({"--bidirectional", "on"}), HasSubstr("--bidirectional: expected off"));
  EXPECT_THAT(complaint({"--steps", "0"}),
              HasSubstr("--steps: expected at least 1 where there is"));
}

TEST(TrainingOptions, AFlagWithoutEffectIsRefused) {
  for (const char* cell : {"rnn", "gru", "lstm:bias=off", "lstm:forget_gate=off"}) {
    EXPECT_THAT(complaint({"--forget-bias", "1", "--cell", cell}),
                HasSubstr("--forget-bias: expected cells with a forget gate and a bias; got " +
                          std::string(cell)));
  }
  EXPECT_EQ(complaint({"--forget-bias", "1", "--cell", "lstm,lstm:coupled"}), "");
  EXPECT_THAT(complaint({"--repetitions", "3"}), HasSubstr("--repetitions: expected --workload"));
  EXPECT_THAT(complaint({"--min-time", "3"}), HasSubstr("--min-time: expected --workload layer"));
  EXPECT_THAT(complaint({"--temperature", "1"}), HasSubstr("--temperature: expected --sample"));
  EXPECT_THAT(complaint({"--prime", "a"}), HasSubstr("--prime: expected --sample beside it"));
  EXPECT_THAT(complaint({"--init", "xavier", "--load-weights", "w"}),
              HasSubstr("--init: expected it without --load-weights"));
  EXPECT_THAT(complaint({"--steps", "0", "--load-weights", "w", "--clip-norm", "2"}),
              HasSubstr("--clip-norm: expected at least one of --steps"));
}

TEST(TrainingOptions, ClashesOfFilesAreRefused) {
  EXPECT_THAT(complaint({"--text", "t", "--save-weights", "./t"}),
              HasSubstr("--save-weights and --text: expected different files; got 't' for both"));
  EXPECT_EQ(complaint({"--load-weights", "w", "--save-weights", "w"}), "");
}

TEST(TrainingOptions, AFileIsOfOneCase) {
  EXPECT_EQ(complaint({"--save-weights", "w"}), "");
  EXPECT_THAT(complaint({"--save-weights", "w", "--layers", "1,2"}),
              HasSubstr("--save-weights: expected one case to train, so that it is clear whose "
                        "file it is; got 2 cases"));
  EXPECT_THAT(complaint({"--dump-logits", "l", "--dtype", "f32,f64", "--cell", "lstm,gru"}),
              HasSubstr("4 cases"));
}

TEST(TrainingOptions, RatesFitTheOptimizer) {
  const auto sgd = net::parse_optimizer("sgd"), adam = net::parse_optimizer("adam");
  EXPECT_GT(default_learning_rate(sgd, CellKind::lstm), default_learning_rate(sgd, CellKind::rnn));
  EXPECT_GT(default_learning_rate(sgd, CellKind::gru), default_learning_rate(adam, CellKind::gru));
  EXPECT_NEAR(default_learning_rate(net::parse_optimizer("sgd:momentum=0.9"), CellKind::lstm),
              0.1 * default_learning_rate(sgd, CellKind::lstm), 1e-12);
}

}  // namespace
}  // namespace bptt::bench
