// Text that came from a file or a path, made fit for one line of a message, a terminal, or XML.
#pragma once

#include <string>
#include <string_view>

#include "impls/api/error.hpp"

namespace bptt::io {

/// `text` with '?' for each byte or character that could steer a terminal, start a line, or is not
/// allowed in XML 1.0: control characters, line and paragraph separators, changes of the writing
/// direction, U+FFFE and U+FFFF, and bytes that are not UTF-8. Longer than `longest` bytes, it is
/// cut there, and "..." says so.
std::string printable(std::string_view text, std::size_t longest = std::string_view::npos);

/// As many bytes of a name or a message that a file's own text went into are shown.
constexpr std::size_t longest_name = 100;
constexpr std::size_t longest_message = 600;

/// Error(data) of a file, in one printable line: "PATH: MESSAGE".
Error file_error(const std::string& path, const std::string& message);

}  // namespace bptt::io
