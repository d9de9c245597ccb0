// What is drawn: reproducible, valid, bounded, and all there is to draw within a few thousand.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "verify/fuzz/shrink.hpp"
#include "verify/fuzz/subject.hpp"

namespace bptt::verify::fuzz {
namespace {

std::string text_of(const Trial& trial) {
  return to_string(trial.what) + " " + std::string(name_of(trial.dtype)) + " " +
         std::to_string(trial.threads) + " " + std::string(name_of(trial.recompute));
}

TEST(Trials, DependOnSeedAndNumberAlone) {
  std::set<std::string> different;
  for (std::uint64_t k : {900u, 3u, 41u, 3u, 900u}) {
    EXPECT_EQ(text_of(draw_trial(7, k, {})), text_of(draw_trial(7, k, {})));
    different.insert(text_of(draw_trial(7, k, {})));
  }
  EXPECT_EQ(different.size(), 3u);
  EXPECT_NE(text_of(draw_trial(8, 3, {})), text_of(draw_trial(7, 3, {})));
}

TEST(Trials, HaveEverythingThereIs) {
  std::map<std::string, int> seen;
  Index most_T = 0, most_B = 0, most_H = 0, wide_on_several = 0;
  for (std::uint64_t k = 0; k < 6000; ++k) {
    const Trial trial = draw_trial(1, k, {});
    const Description& d = trial.what;
    EXPECT_NO_THROW(d.validate()) << to_string(d);
    EXPECT_LE(work_of(d), 1.2e7) << to_string(d);
    const std::string text = text_of(trial);
    for (const char* part : {"rnn ",
                             "rnn:relu",
                             "rnn:sigmoid",
                             "rnn:leaky_relu",
                             "rnn:identity",
                             "lstm ",
                             ":peephole",
                             ":coupled",
                             "candidate=identity",
                             "output=identity",
                             "gate_input=cell",
                             "input_gate=off",
                             "forget_gate=off",
                             "output_gate=off",
                             "gru ",
                             "reset=after_matmul",
                             "update=keep",
                             "bias=off",
                             "layers=3",
                             "bidirectional",
                             "head=half_squared_error",
                             "H=48",
                             "H=80",
                             "H=17",
                             "head=sigmoid_cross_entropy",
                             "head=softmax_cross_entropy",
                             ":last",
                             "lengths=0,0",
                             "f32",
                             "f64",
                             " 4 ",
                             "gates",
                             "checkpoint"}) {
      seen[part] += text.find(part) != std::string::npos ? 1 : 0;
    }
    for (const std::string& name : optional_tensors()) {
      seen[name] += std::count(d.without.begin(), d.without.end(), name);
    }
    for (const InputValues values : all_input_values()) {
      seen[std::string(name_of(values))] += d.values == values ? 1 : 0;
    }
    const Shape& s = d.network.stack.shape;
    most_T = std::max(most_T, s.T);
    most_B = std::max(most_B, s.B);
    most_H = std::max(most_H, s.H);
    wide_on_several += s.I > 8192 && trial.threads > 2 ? 1 : 0;
  }
  for (const auto& [part, times] : seen) EXPECT_GE(times, 3) << part;
  EXPECT_GE(most_T, 150);
  EXPECT_GE(most_B, 80);
  EXPECT_GE(most_H, 128);
  EXPECT_GE(wide_on_several, 10);
}

TEST(Trials, KeepToWhatTheyAreRestrictedTo) {
  Restrictions only;
  only.cells = {"gru:update=keep"};
  only.dtypes = {Dtype::f64};
  only.threads = {3};
  only.recompute = {Recompute::gates};
  for (std::uint64_t k = 0; k < 50; ++k) {
    const Trial trial = draw_trial(1, k, only);
    EXPECT_EQ(to_string(trial.what.network.stack.cell), "gru:update=keep");
    EXPECT_EQ(trial.dtype, Dtype::f64);
    EXPECT_EQ(trial.thread_counts(), (std::vector<int>{1, 3}));
    EXPECT_EQ(trial.recompute, Recompute::gates);
  }
}

/// Whatever fails, the way down ends, and every step of it is a case.
TEST(Shrinking, EndsAtTheSmallestCaseOfAll) {
  for (std::uint64_t k = 0; k < 200; ++k) {
    Trial trial = draw_trial(3, k, {});
    const auto kind = trial.what.network.stack.cell.kind;
    int steps = 0;
    for (auto next = simpler(trial); !next.empty(); next = simpler(trial)) {
      ASSERT_NO_THROW(parse_description(to_string(next.front().what)));
      trial = next.front();
      ASSERT_LT(++steps, 400);
    }
    Cell plain;
    plain.kind = kind;
    EXPECT_EQ(to_string(trial.what), to_string(plain) + " T=1 B=1 I=1 H=1");
    EXPECT_EQ(trial.threads, 1);
    EXPECT_EQ(trial.recompute, Recompute::none);
  }
}

TEST(Shrinking, KeepsWhatTheFailureNeeds) {
  Trial trial;
  trial.what = parse_description(
      "lstm:peephole:bias=off T=40 B=9 I=30 H=113 lengths=3,40,0,7,1,2,3,4,5 without=h0,dy "
      "values=sparse");
  trial.threads = 4;
  const auto fails = [](const Trial& t) {
    const Description& d = t.what;
    return d.network.stack.shape.H % 16 == 1 && d.network.stack.shape.H > 1 &&
           d.network.stack.lengths && t.threads > 1 && d.network.stack.cell.peephole;
  };
  ASSERT_TRUE(fails(trial));
  const Trial smallest = shrink(trial, fails, 400);
  EXPECT_EQ(to_string(smallest.what), "lstm:peephole T=1 B=1 I=1 H=17 lengths=1");
  EXPECT_EQ(smallest.threads, 2);
}

}  // namespace
}  // namespace bptt::verify::fuzz
