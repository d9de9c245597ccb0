// Bytes made safe to print on a terminal: a model may make up any.
#pragma once

#include <string>
#include <string_view>

namespace bptt::bench {

/// Printable ASCII, line ends, tabs and printable UTF-8 stay as they are; every other byte, and
/// what steers a terminal or the direction of text, becomes \xNN; a backslash becomes two.
std::string terminal_text(std::string_view bytes);

}  // namespace bptt::bench
