// The self-test for people: a page on the terminal, and the same in Markdown.
#pragma once

#include <iosfwd>
#include <string>

#include "verify/self_test/outcome.hpp"

namespace bptt::verify::self_test {

/// The table of faults, the table of checks, what went wrong, and one line that sums it up.
void print(std::ostream&, const SelfTest&);
std::string markdown_text(const SelfTest&);

}  // namespace bptt::verify::self_test
