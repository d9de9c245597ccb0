// A case's text: what is printed is read back, what is not a case is refused in one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/fuzz/trial.hpp"

namespace bptt::verify::fuzz {
namespace {

TEST(Description, SaysWhatItSays) {
  const auto d = parse_description("lstm:peephole T=3 B=2 I=1 H=5 lengths=2,0 without=dhT,c0");
  EXPECT_EQ(to_string(d.network.stack.cell), "lstm:peephole");
  EXPECT_EQ(d.network.stack.shape, (Shape{3, 2, 1, 5}));
  EXPECT_EQ(d.lengths, (std::vector<Index>{2, 0}));
  EXPECT_EQ(d.without, (std::vector<std::string>{"c0", "dhT"}));  // in the table's order
  EXPECT_EQ(d.values, InputValues::fixture);
  EXPECT_TRUE(d.is_layer());
  const auto stack = parse_description(
      "gru T=4 B=1 I=3 H=2 layers=2 bidirectional head=softmax_cross_entropy:6:last values=coarse");
  EXPECT_EQ(stack.network.stack.states(), 4);
  EXPECT_EQ(stack.network.head->O, 6);
  EXPECT_EQ(stack.network.head->steps, net::Steps::last);
  EXPECT_EQ(stack.values, InputValues::coarse);
  EXPECT_FALSE(stack.is_layer());
}

TEST(Description, IsReadBackAsItWasPrinted) {
  for (std::uint64_t k = 0; k < 3000; ++k) {
    const Description d = draw_trial(5, k, {}).what;
    const std::string text = to_string(d);
    EXPECT_EQ(parse_description(text), d) << text;
    EXPECT_EQ(to_string(parse_description(text)), text);
    // Nothing that a shell, or a workflow command, takes for its own.
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789 :=,._-"),
              std::string::npos)
        << text;
  }
}

struct Bad {
  const char* name;
  const char* text;
  const char* message;
};
void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.name;
}
const Bad bad_texts[] = {
    {"Nothing", "", "a cell"},
    {"NoCell", "T=3 B=2 I=1 H=5", "'T=3'"},
    {"NoExtent", "lstm T=3 B=2 I=1", "there is no H="},
    {"ZeroExtent", "lstm T=0 B=2 I=1 H=5", "got '0'"},
    {"NoNumber", "lstm T=3x B=2 I=1 H=5", "got '3x'"},
    {"TooLarge", "lstm T=99999999999999999999 B=2 I=1 H=5", "99999999999999999999"},
    {"Overflow", "lstm T=4000000000000 B=4000000000000 I=1 H=5", "T,B"},
    {"Twice", "lstm T=3 T=3 B=2 I=1 H=5", "it once"},
    {"UnknownWord", "lstm T=3 B=2 I=1 H=5 depth=2", "'depth=2'"},
    {"ValueOfASwitch", "lstm T=3 B=2 I=1 H=5 bidirectional=yes", "'bidirectional=yes'"},
    {"NoValue", "lstm T=3 B=2 I=1 H=5 layers", "'layers'"},
    {"FewLengths", "lstm T=3 B=2 I=1 H=5 lengths=2", "2 values in 0..3"},
    {"LongLength", "lstm T=3 B=2 I=1 H=5 lengths=2,4", "out of range"},
    {"UnknownTensor", "lstm T=3 B=2 I=1 H=5 without=x", "got 'x'"},
    {"TensorItHasNot", "gru T=3 B=2 I=1 H=5 without=c0", "a tensor that gru has"},
    {"TensorTwice", "gru T=3 B=2 I=1 H=5 without=h0,h0", "each tensor once"},
    {"StackWithout", "gru T=3 B=2 I=1 H=5 layers=2 without=h0", "a single layer"},
    {"BadHead", "gru T=3 B=2 I=1 H=5 head=softmax_cross_entropy", "LOSS:OUTPUTS:STEPS"},
    {"UnknownValues", "gru T=3 B=2 I=1 H=5 values=odd", "'odd'"},
    {"ValuesAtAKink", "rnn:relu T=3 B=2 I=1 H=5 values=sparse", "rnn:relu"},
    {"Hostile", "lstm T=3 B=2 I=1 H=5 \x1b[2J\n", "?[2J?"},
};

class BadDescriptions : public testing::TestWithParam<Bad> {};

TEST_P(BadDescriptions, AreRefusedInOneLine) {
  try {
    parse_description(GetParam().text);
    FAIL() << "understood";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadDescriptions, testing::ValuesIn(bad_texts),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace bptt::verify::fuzz
