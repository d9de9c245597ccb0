// The audit's table, for a terminal and for docs/textbook.md.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "verify/textbook/audit.hpp"

namespace bptt::verify::textbook {

/// Whether a row came out as the audit states beforehand: verdict, and by how much it is wrong.
bool is_as_stated(const Row&);

/// "0" for rounding, "0.66%", "16%", "12x" from ten times on; "-" where there is nothing to
/// compare.
std::string error_text(const std::optional<double>&);

void print_text(std::ostream&, const std::vector<Row>&);

/// One table for each document, under a heading.
std::string markdown(const std::vector<Row>&);

}  // namespace bptt::verify::textbook
