// `bptt-verify --flow` from its arguments to its exit code.
#pragma once

#include <iosfwd>
#include <vector>

#include "verify/flow/rows.hpp"

namespace bptt::verify::flow {

/// What main() returns where nothing is thrown. Throws Error as impls/program/exit_code.hpp has it.
int run_flow(int argc, const char* const* argv, std::ostream& out);

/// A table for each backend and cell, a line for each violated bound, and what was shown.
void print(std::ostream&, const std::vector<Row>&);

/// program::good, numerically_wrong where a bound is violated or a norm without a bound is not
/// finite, nothing_done without rows and where every bound is out of range.
int exit_code_of(const std::vector<Row>&);

}  // namespace bptt::verify::flow
