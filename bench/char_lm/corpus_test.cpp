#include "bench/char_lm/corpus.hpp"

#include <cmath>

#include <gmock/gmock.h>

namespace bptt::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Corpus, TheAlphabetIsTheBytesThatOccurInOrder) {
  const Corpus corpus(
      "ba\xFF"
      "ab",
      "t");
  EXPECT_EQ(corpus.alphabet_size(), 3);
  EXPECT_THAT(corpus.characters(), ElementsAre(1, 0, 2, 0, 1));
}

TEST(Corpus, UnigramEntropy) {
  EXPECT_NEAR(Corpus("abababab", "t").unigram_entropy(), std::log(2.0), 1e-15);
  EXPECT_NEAR(Corpus("aaab", "t").unigram_entropy(), 2 * std::log(2.0) - 0.75 * std::log(3.0),
              1e-15);
}

TEST(Corpus, WindowsOfStreamsSideBySide) {
  // 11 characters: two streams of 5, two updates of 2; the tail is left out.
  const Corpus corpus("abcdefghijk", "t");
  const Windows windows(corpus, {2, 2}, 2);
  EXPECT_EQ(windows.count(), 2);
  std::vector<Index> characters(4);
  windows.read(0, characters);
  EXPECT_THAT(characters, ElementsAre(0, 5, 1, 6));
  windows.read(1, characters);
  EXPECT_THAT(characters, ElementsAre(1, 6, 2, 7));
}

TEST(Corpus, TheLastCharacterCanBeATarget) {
  const Corpus corpus("abcde", "t");
  const Windows windows(corpus, {2, 2}, 2);
  std::vector<Index> targets(4);
  windows.read(1, targets);
  EXPECT_THAT(targets, ElementsAre(1, 3, 2, 4));
}

TEST(Corpus, UpdatesAreCountedByK1AndHaveToHoldK2) {
  const Corpus corpus("abcdefghijk", "t");
  EXPECT_EQ(Windows(corpus, {1, 5}, 2).count(), 5);
  EXPECT_EQ(Windows(corpus, {3, 4}, 1).count(), 3);
  EXPECT_THROW(Windows(corpus, {1, 6}, 2), Error);
}

TEST(Corpus, CharactersAreBytesOfTheText) {
  const Corpus corpus("ba\xFF", "t");
  EXPECT_THAT(corpus.alphabet(), ElementsAre('a', 'b', 255));
  EXPECT_THAT(corpus.characters_of("--prime",
                                   "b\xFF"
                                   "b"),
              ElementsAre(1, 2, 1));
  EXPECT_EQ(corpus.text_of(corpus.characters()), "ba\xFF");
  try {
    corpus.characters_of("--prime", "abc");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "--prime: expected bytes that occur in t; got byte 99");
  }
}

std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "";
}

TEST(Corpus, TextsThatWillNotDo) {
  EXPECT_THAT(complaint([] { Corpus::read("/nowhere/text"); }),
              HasSubstr("/nowhere/text: cannot read"));
  EXPECT_THAT(complaint([] { Corpus::read("/usr"); }), HasSubstr("/usr: cannot read"));
  EXPECT_THAT(complaint([] { Corpus::read("/dev/null"); }),
              HasSubstr("at least two different bytes"));
  EXPECT_THAT(complaint([] { Corpus("aaaa", "t"); }),
              HasSubstr("t: expected a text of at least two"));
  const Corpus corpus("abcd", "t");
  EXPECT_EQ(complaint([&] {
              Windows(corpus, {2, 2}, 2);
            }),
            "t: expected at least T*B+1 = 5 characters; got 4");
  EXPECT_THAT(complaint([&] { Windows(corpus, {1000, 1000}, 1000); }), HasSubstr("1000001"));
}

}  // namespace
}  // namespace bptt::bench
