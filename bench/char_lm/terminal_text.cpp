#include "bench/char_lm/terminal_text.hpp"

#include <algorithm>
#include <cstdint>

namespace bptt::bench {
namespace {

struct Range {
  std::uint32_t first, last;
};
/// Control characters, marks that reorder or hide text, surrogates, what is not a character.
constexpr Range not_printed[] = {{0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
                                 {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
                                 {0x2060, 0x206f}, {0xd800, 0xf8ff}, {0xfe00, 0xfe0f},
                                 {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, 0x1fffff}};

/// Bytes of the printable UTF-8 sequence of several bytes at the begin of `text`; 0: there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0;
  std::uint32_t code = lead & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool hidden =
      std::any_of(std::begin(not_printed), std::end(not_printed),
                  [code](const Range& range) { return range.first <= code && code <= range.last; });
  return code < least[length] || hidden ? 0 : length;
}

}  // namespace

std::string terminal_text(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte == '\\') {
      text += "\\\\";
    } else if ((byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t') {
      text += bytes[i];
    } else if (const std::size_t length = utf8_length(bytes.substr(i)); length > 0) {
      text += bytes.substr(i, length);
      i += length;
      continue;
    } else {
      text += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
    ++i;
  }
  return text;
}

}  // namespace bptt::bench
