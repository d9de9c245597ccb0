#include "impls/api/spec.hpp"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bptt {
namespace {

using testing::HasSubstr;

std::string message_of(const auto& body, ErrorKind kind) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(Cell, TextAndBack) {
  for (const char* text :
       {"rnn", "rnn:relu", "rnn:sigmoid", "rnn:leaky_relu", "rnn:identity:bias=off", "lstm",
        "lstm:bias=off", "lstm:output=identity:gate_input=cell", "lstm:peephole:coupled",
        "lstm:candidate=identity:input_gate=off", "lstm:peephole:forget_gate=off:bias=off",
        "lstm:output_gate=off", "gru", "gru:reset=after_matmul", "gru:update=keep",
        "gru:reset=after_matmul:update=keep:bias=off"}) {
    EXPECT_EQ(to_string(parse_cell(text)), text);
  }
  EXPECT_EQ(parse_cell("rnn:tanh"), parse_cell("rnn"));
  EXPECT_EQ(parse_cell("gru:update=take:reset=before_matmul"), parse_cell("gru"));
}

TEST(Cell, KnowsWhichGatesItsOptionsTakeAway) {
  const auto used = [](const char* text) {
    std::string names;
    const Cell cell = parse_cell(text);
    for (Index g = 0; g < cell.gates(); ++g) names += cell.uses_gate(g) ? cell.gate_name(g) : "-";
    return names;
  };
  EXPECT_EQ(used("lstm:peephole"), "ifgo");
  EXPECT_EQ(used("lstm:coupled"), "-fgo");
  EXPECT_EQ(used("lstm:input_gate=off"), "-fgo");
  EXPECT_EQ(used("lstm:forget_gate=off:output_gate=off"), "i-g-");
  EXPECT_EQ(used("gru"), "rzn");
}

TEST(Cell, SaysWhatItDoesNotUnderstand) {
  const auto message = [](const char* text) {
    return message_of([&] { parse_cell(text); }, ErrorKind::usage);
  };
  EXPECT_THAT(message("lstn"), HasSubstr("rnn, lstm, gru; got 'lstn'"));
  EXPECT_THAT(message("rnn:tan"), HasSubstr("option 'tan' is not known; rnn takes: tanh"));
  EXPECT_THAT(message("lstm:relu"), HasSubstr("option 'relu' is not known"));
  EXPECT_THAT(message("gru:reset=before"), HasSubstr("before_matmul, after_matmul; got 'before'"));
  EXPECT_THAT(message("lstm:reset=after_matmul"), HasSubstr("'reset=after_matmul' is not known"));
  EXPECT_THAT(message(""), HasSubstr("got ''"));
  EXPECT_THAT(message("lstm:peephole=on"), HasSubstr("'peephole=on' is not known; lstm takes: "));
  EXPECT_THAT(message("lstm:x"), HasSubstr("output=tanh|identity, candidate=tanh|identity, "
                                           "gate_input=hidden|cell, peephole, coupled, "
                                           "input_gate=on|off"));
  EXPECT_THAT(message("lstm:output=relu"), HasSubstr("tanh, identity; got 'relu'"));
  EXPECT_THAT(message("gru:peephole"), HasSubstr("'peephole' is not known"));
  EXPECT_THAT(
      message("lstm:coupled:forget_gate=off"),
      HasSubstr("cell 'lstm:coupled:forget_gate=off': expected both input and forget gate"));
  EXPECT_THAT(message("lstm:input_gate=off:coupled"), HasSubstr("got one of them off"));
  EXPECT_THAT(message("gru:"), HasSubstr("option '' is not known"));
}

TEST(Spec, RefusesExtentsThatAreNotThereOrDoNotFit) {
  const auto message = [](Shape shape) {
    return message_of([&] { Spec{{}, shape, false}.validate(); }, ErrorKind::usage);
  };
  EXPECT_THAT(message({0, 1, 1, 1}),
              HasSubstr("T (sequence length): expected an extent of at least 1; got 0"));
  EXPECT_THAT(message({1, 1, 1, -4}), HasSubstr("H (hidden size)"));
  constexpr Index huge = std::numeric_limits<Index>::max() / 2;
  EXPECT_THAT(message({1, 1, 1, huge}), HasSubstr("does not fit in 64 bits"));
  EXPECT_THAT(message({huge, 2, 8, 8}), HasSubstr("does not fit in 64 bits"));
  EXPECT_NO_THROW((Spec{{}, {7, 3, 5, 4}, false}.validate()));
}

TEST(Spec, CountsFlopsAsDocumented) {
  const Spec lstm{parse_cell("lstm"), {7, 3, 5, 4}, false};
  EXPECT_EQ(forward_flops(lstm, 21), 2.0 * 21 * 16 * 9);
  EXPECT_EQ(backward_flops(lstm, 21), 4.0 * 21 * 16 * 9);
}

TEST(CheckedArithmetic, RefusesToWrap) {
  constexpr Index largest = std::numeric_limits<Index>::max();
  EXPECT_EQ(checked_product({3, 5, 7}, "x"), 105);
  EXPECT_THROW(checked_product({largest, 2}, "x"), Error);
  EXPECT_EQ(checked_sum({largest - 1, 1}, "x"), largest);
  EXPECT_THROW(checked_sum({largest, 1}, "x"), Error);
}

}  // namespace
}  // namespace bptt
