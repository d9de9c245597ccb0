// What an axis may be, and what is said about one that is not.
#include "impls/program/axis.hpp"

#include <gmock/gmock.h>

namespace bptt::program {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string complaint(std::string_view text, const AxisLimits& limits = {}) {
  try {
    parse_axis("--batch", text, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(Axis, Values) {
  EXPECT_THAT(parse_axis("--batch", "16"), ElementsAre(16));
  EXPECT_THAT(parse_axis("--batch", "64, 16 ,64"), ElementsAre(64, 16));
}

TEST(Axis, Ranges) {
  EXPECT_THAT(parse_axis("--batch", "16:100:x2"), ElementsAre(16, 32, 64));
  EXPECT_THAT(parse_axis("--batch", "16:64:x2"), ElementsAre(16, 32, 64));
  EXPECT_THAT(parse_axis("--batch", "1:4:+1"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(parse_axis("--batch", "1:8:+3"), ElementsAre(1, 4, 7));
  EXPECT_THAT(parse_axis("--batch", "5:5:x2"), ElementsAre(5));
}

TEST(Axis, MixesValuesAndRanges) {
  EXPECT_THAT(parse_axis("--batch", "1,4:16:x2,4,100:102:+2"), ElementsAre(1, 4, 8, 16, 100, 102));
}

TEST(Axis, EndsWhereTheNextValueWouldOverflow) {
  const Index top = std::numeric_limits<Index>::max();
  EXPECT_THAT(parse_axis("--batch", std::to_string(top - 1) + ":" + std::to_string(top) + ":+1"),
              ElementsAre(top - 1, top));
  EXPECT_THAT(parse_axis("--batch", "1:9223372036854775807:x2"), SizeIs(63));
}

TEST(Axis, ComplaintsNameTheFlagAndTheWord) {
  EXPECT_EQ(complaint("8,abc"),
            "--batch: expected a whole number, or a range such as 16:1024:x2 or 1:8:+1; got 'abc'");
  EXPECT_EQ(complaint("1:8"),
            "--batch: expected a range FIRST:LAST:xFACTOR or FIRST:LAST:+STEP; got '1:8'");
  for (const char* malformed : {"1:8:2", "1:8:", "1::x2", ":8:x2", "1:8:xx", "1:8:x2:3", "1:8:*2",
                                "1.5", "4k", "0x10", "-"}) {
    EXPECT_THAT(complaint(malformed), HasSubstr(std::string("got '") + malformed + "'"));
  }
}

TEST(Axis, EmptyWordsAreErrors) {
  for (const char* text : {"", "1,", ",1", "1,,2", " "}) {
    EXPECT_THAT(complaint(text), HasSubstr("with a comma between them")) << text;
  }
}

TEST(Axis, RangesMustAdvance) {
  EXPECT_THAT(complaint("8:1:+1"), HasSubstr("last value is not below its first"));
  EXPECT_THAT(complaint("1:8:x1"), HasSubstr("a factor of at least 2"));
  EXPECT_THAT(complaint("1:8:+0"), HasSubstr("a step of at least 1"));
  EXPECT_THAT(complaint("1:8:+-1"), HasSubstr("a step of at least 1"));
  EXPECT_THAT(complaint("0:8:x2", {.least = 0}), HasSubstr("begin above 0"));
}

TEST(Axis, Limits) {
  EXPECT_THAT(complaint("0"), HasSubstr("a value of at least 1; got '0'"));
  EXPECT_THAT(complaint("-3:4:+1"), HasSubstr("a value of at least 1; got '-3:4:+1'"));
  EXPECT_THAT(complaint("9", {.most = 8}), HasSubstr("a value of at most 8; got '9'"));
  EXPECT_THAT(complaint("1:9:+8", {.most = 8}), HasSubstr("a value of at most 8"));
  EXPECT_THAT(complaint("9223372036854775808"), HasSubstr("at most 2^63-1"));
  EXPECT_THAT(complaint("1:10:+1", {.count = 9}), HasSubstr("at most 9 values; got '1:10:+1'"));
  EXPECT_THAT(complaint("1:9223372036854775807:+1"), HasSubstr("at most 1000 values"));
}

}  // namespace
}  // namespace bptt::program
