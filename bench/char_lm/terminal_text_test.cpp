// What a terminal gets to see.
#include "bench/char_lm/terminal_text.hpp"

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

TEST(TerminalText, TextStaysAsItIs) {
  EXPECT_EQ(terminal_text("the cat\n\tsat~ on 'it'"), "the cat\n\tsat~ on 'it'");
  const std::string several = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb1";
  EXPECT_EQ(terminal_text(several), several);
}

TEST(TerminalText, WhatSteersATerminalIsSpelledOut) {
  EXPECT_EQ(terminal_text("\x1b[2J\x07\r\x7f"), "\\x1b[2J\\x07\\x0d\\x7f");
  EXPECT_EQ(terminal_text(std::string("\0", 1)), "\\x00");
  // C1 controls and marks of direction are valid UTF-8.
  EXPECT_EQ(terminal_text("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(terminal_text("\xe2\x80\xae"), "\\xe2\\x80\\xae");
}

TEST(TerminalText, BackslashesAreDoubledSoThatEscapesAreTheModelsOrOurs) {
  EXPECT_EQ(terminal_text("\\x1b"), "\\\\x1b");
}

TEST(TerminalText, BytesThatAreNoUtf8AreSpelledOut) {
  EXPECT_EQ(terminal_text("\xff"), "\\xff");
  EXPECT_EQ(terminal_text("\xc3"), "\\xc3");
  EXPECT_EQ(terminal_text("\xc3z"), "\\xc3z");
  EXPECT_EQ(terminal_text("\xc0\xaf"), "\\xc0\\xaf") << "too long a spelling";
  EXPECT_EQ(terminal_text("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(terminal_text("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(terminal_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
}

}  // namespace
}  // namespace bptt::bench
