// Hostile text does not reach a terminal.
#include "impls/io/printable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/io/safetensors.hpp"
#include "impls/io/safetensors_writer.hpp"

namespace bptt::io {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Printable, KeepsTextOfAnyScript) {
  const std::string text = "weight_ih_l0 ~ \xc3\xbc \xe2\x82\xac \xf0\x9f\x99\x82";
  EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, ReplacesWhatSteersATerminal) {
  EXPECT_EQ(printable("\x1b[2Jevil\a\n\rPASS\x7f"), "?[2Jevil???PASS?");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "?2J");                                            // U+009B, the C1 form of ESC [
  EXPECT_EQ(printable("\xe2\x80\xa8|\xe2\x80\xae|"), "?|?|");  // U+2028, U+202E
}

TEST(Printable, ReplacesWhatXmlAndUtf8DoNotAllow) {
  EXPECT_EQ(printable("\xef\xbf\xbe|\xef\xbf\xbf|"), "?|?|");  // U+FFFE, U+FFFF
  EXPECT_EQ(printable("\xff|\x9b|\xc3"), "?|?|?");             // no lead, no lead, cut off
  EXPECT_EQ(printable("\xc1\x81"), "??");                      // 'A' in two bytes
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");                 // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????");            // beyond U+10FFFF
}

TEST(Printable, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdef", 5), "abcde...");
  EXPECT_EQ(printable("ab\xc3\xbc", 3), "ab...");
}

std::string message_of(const std::string& path, std::vector<char> bytes) {
  try {
    Safetensors::parse(path, std::move(bytes)).reals("\x1b[2J\nmissing");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "accepted";
}

TEST(FileError, OfAReaderIsOneShortLine) {
  EXPECT_EQ(message_of("a\nb", SafetensorsWriter().bytes()),
            "a?b: expected a tensor '?[2J?missing'; there is none");
  const std::string header = R"({"\u001b[2J)" + std::string(9000, 'n') + R"(":3})";
  std::vector<char> bytes(8);
  bytes[0] = static_cast<char>(header.size() & 0xff);
  bytes[1] = static_cast<char>(header.size() >> 8);
  bytes.insert(bytes.end(), header.begin(), header.end());
  const std::string message = message_of("long", bytes);
  EXPECT_THAT(message, StartsWith("long: tensor '?[2Jnnn"));
  EXPECT_THAT(message, EndsWith("...': expected an object; got number"));
  EXPECT_LT(message.size(), 200u);
}

}  // namespace
}  // namespace bptt::io
