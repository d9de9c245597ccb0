#include "impls/io/printable.hpp"

#include <algorithm>
#include <cstddef>

namespace bptt::io {
namespace {

/// The character at the front of a text that is not empty; `bytes` is 1 where it is not UTF-8.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  struct Form {
    unsigned char mask, lead;
    std::size_t bytes;
    char32_t least;  ///< a smaller code in so many bytes is not UTF-8
  };
  constexpr Form forms[] = {
      {0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
  const auto* form = std::find_if(std::begin(forms), std::end(forms),
                                  [&](const Form& f) { return (byte(0) & f.mask) == f.lead; });
  if (form == std::end(forms) || form->bytes > text.size()) return {};
  char32_t code = byte(0) & static_cast<unsigned char>(~form->mask);
  for (std::size_t i = 1; i < form->bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < form->least || code > 0x10ffff || surrogate) return {};
  return {code, form->bytes, true};
}

bool is_printable(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range unfit[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x200e, 0x200f},
                             {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfffe, 0xffff}};
  return std::none_of(std::begin(unfit), std::end(unfit), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  std::string line;
  while (!text.empty()) {
    const Character next = first_of(text);
    const bool shown = next.valid && is_printable(next.code);
    if (line.size() + (shown ? next.bytes : 1) > longest) return line + "...";
    line += shown ? text.substr(0, next.bytes) : "?";
    text.remove_prefix(next.bytes);
  }
  return line;
}

Error file_error(const std::string& path, const std::string& message) {
  return Error(ErrorKind::data, printable(path) + ": " + printable(message, longest_message));
}

}  // namespace bptt::io
