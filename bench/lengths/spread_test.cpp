// The values of --lengths: what they are for a T and a B, and which words and files are refused.
#include "bench/lengths/spread.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>

#include "bench/lengths/sample.hpp"
#include "bench/test_folder.hpp"
#include "impls/api/error.hpp"

namespace bptt::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

using Lengths = std::vector<Index>;

Lengths of(const std::string& word, Index T, Index B) {
  return Spread::parse(word).ascending(T, B);
}

double share(const std::string& word, Index T, Index B) {
  return static_cast<double>(Spread::parse(word).live_steps(T, B)) / static_cast<double>(T * B);
}

TEST(Spread, FullHasNoLengths) {
  EXPECT_FALSE(Spread::parse("full").given());
  EXPECT_EQ(Spread::parse("full"), Spread());
  EXPECT_EQ(Spread::parse("full").live_steps(7, 3), 21);
}

TEST(Spread, UniformIsEvenlySpreadUpToT) {
  EXPECT_THAT(of("uniform", 10, 5), ElementsAre(2, 4, 6, 8, 10));
  EXPECT_THAT(of("uniform", 4, 4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(of("uniform", 2, 6), ElementsAre(1, 1, 1, 1, 2, 2));
  EXPECT_THAT(of("uniform", 9, 1), ElementsAre(9));
}

TEST(Spread, AShareIsThatOfTheLiveSteps) {
  EXPECT_THAT(of("100%", 5, 3), ElementsAre(5, 5, 5));
  for (const int percent : {90, 75, 50, 25, 10, 5}) {
    const std::string word = std::to_string(percent) + '%';
    EXPECT_NEAR(share(word, 50, 32), percent / 100.0, 1e-3) << word;
    EXPECT_NEAR(share(word, 400, 16), percent / 100.0, 2e-2) << word << ": one of T is 6%";
  }
}

TEST(Spread, AShareThatTheShapeDoesNotAllowIsComeAsNearAsCanBe) {
  EXPECT_THAT(of("1%", 10, 4), ElementsAre(1, 1, 1, 10));
  EXPECT_THAT(of("1%", 10, 1), ElementsAre(10));
  EXPECT_THAT(of("1%", 1, 3), ElementsAre(1, 1, 1));
}

TEST(Spread, EveryOneIsAscendingInRangeAndHasOneOfT) {
  for (const char* word : {"uniform", "100%", "60%", "25%", "3%", "ewt"}) {
    for (const Index T : {1, 2, 17, 81, 1000}) {
      for (const Index B : {1, 2, 13, 128}) {
        const Lengths lengths = of(word, T, B);
        EXPECT_EQ(lengths.size(), static_cast<std::size_t>(B));
        EXPECT_TRUE(std::is_sorted(lengths.begin(), lengths.end())) << word;
        EXPECT_GE(lengths.front(), 1) << word;
        EXPECT_EQ(lengths.back(), T) << word;
      }
    }
  }
}

TEST(Spread, TheSeedDecidesTheOrderAndNothingElse) {
  const Spread spread = Spread::parse("25%");
  const Lengths sorted = spread.ascending(50, 40), one = spread.lengths(50, 40, 1);
  EXPECT_THAT(one, UnorderedElementsAreArray(sorted));
  EXPECT_NE(one, sorted);
  EXPECT_EQ(one, spread.lengths(50, 40, 1));
  EXPECT_NE(one, spread.lengths(50, 40, 2));
}

TEST(Spread, ThePublishedOneIsWhatItsSourceCounts) {
  const Lengths words = ascending(published_lengths().front());
  Index sum = 0;
  for (const Index length : words) sum += length;
  // stats.xml of release 2.16: 2001 and 2077 sentences, 25147 and 25094 words.
  EXPECT_EQ(words.size(), 2001u + 2077);
  EXPECT_EQ(sum, 25147 + 25094);
  EXPECT_EQ(words.back(), 81);
  EXPECT_NEAR(share("ewt", 81, 128), 0.154, 1e-3);
}

class LengthsFile : public ::testing::Test {
 protected:
  std::string written(const std::string& text, const std::string& name = "words.txt") {
    std::ofstream(folder / name, std::ios::binary) << text;
    return folder / name;
  }
  static std::string complaint(const std::string& word, ErrorKind kind) {
    try {
      Spread::parse(word);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return "accepted";
  }
  std::string refused(const std::string& text) {
    const std::string path = written(text);
    const std::string message = complaint(path, ErrorKind::data);
    EXPECT_TRUE(message.starts_with(path)) << message;
    return message.substr(std::min(path.size(), message.size()));
  }

  TestFolder folder;
};

TEST_F(LengthsFile, IsScaledSoThatItsLongestIsT) {
  const std::string path = written("# words\n4\n 2  # a comment\n\n8\r\n6");
  EXPECT_EQ(Spread::parse(path).name(), "words.txt");
  EXPECT_THAT(of(path, 8, 4), ElementsAre(2, 4, 6, 8)) << "as many as there are, at their own T";
  EXPECT_THAT(of(path, 16, 4), ElementsAre(4, 8, 12, 16));
  EXPECT_THAT(of(path, 1, 4), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(of(path, 8, 2), ElementsAre(4, 8));
  EXPECT_THAT(of(path, 8, 8), ElementsAre(2, 2, 4, 4, 6, 6, 8, 8));
}

TEST_F(LengthsFile, WrongOnesAreNamedWithTheLine) {
  EXPECT_EQ(refused("3\nfour\n"),
            ":2: expected a length, a whole number in 1..1000000000; got 'four'");
  EXPECT_THAT(refused("3\n\n-4\n"), HasSubstr(":3: expected a length"));
  EXPECT_THAT(refused("0\n"), HasSubstr(":1: expected a length"));
  EXPECT_THAT(refused("1\n1000000001\n"), HasSubstr("got '1000000001'"));
  EXPECT_THAT(refused("1\n99999999999999999999999\n"), HasSubstr(":2: "));
  EXPECT_THAT(refused("1 2\n"), HasSubstr("got '1 2'"));
  EXPECT_THAT(refused("2.5\n"), HasSubstr("got '2.5'"));
  EXPECT_EQ(refused(""), ": expected lengths, one on a line; got none in 0 lines");
  EXPECT_EQ(refused("# none\n"), ": expected lengths, one on a line; got none in 1 line");
  EXPECT_THAT(refused(std::string("\0\x1b[2J\n", 6)), HasSubstr("got '??[2J'"));
}

TEST_F(LengthsFile, ThatCannotBeReadIsNamed) {
  EXPECT_THAT(complaint(folder / "nowhere", ErrorKind::data),
              HasSubstr("nowhere: cannot read the lengths (--lengths): No such file"));
  EXPECT_THAT(complaint(folder / ".", ErrorKind::data), HasSubstr("Is a directory"));
}

TEST_F(LengthsFile, HasANameThatRowsCanShow) {
  EXPECT_THAT(complaint(written("1\n", "uniform"), ErrorKind::usage),
              HasSubstr("--lengths: expected a file with a name"));
  EXPECT_THAT(complaint(written("1\n", "a:b.txt"), ErrorKind::usage), HasSubstr("no ':'"));
}

TEST_F(LengthsFile, WordsThatAreNothingAreRefused) {
  EXPECT_THAT(complaint("random", ErrorKind::usage),
              HasSubstr("--lengths: expected full, uniform, a share of the steps such as 25%, ewt, "
                        "or the path of a file"));
  for (const char* word : {"0%", "101%", "2.5%", "-5%", "%", "x%"}) {
    EXPECT_THAT(complaint(word, ErrorKind::usage), HasSubstr("expected a share in 1%..100%"))
        << word;
  }
}

}  // namespace
}  // namespace bptt::bench
