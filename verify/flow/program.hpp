// `bptt-verify --flow` from its arguments to its exit code.
#pragma once

#include <iosfwd>
#include <vector>

#include "verify/flow/rows.hpp"

namespace bptt::verify::flow {

/// What main() returns where nothing is thrown. Throws Error as impls/program/exit_code.hpp has it.
int run_flow(int argc, const char* const* argv, std::ostream& out);

/// A table for each backend and cell, and a line for each bound that does not hold.
void print(std::ostream&, const std::vector<Row>&);

/// program::good, numerically_wrong where a bound does not hold or a norm is no
/// number, nothing_done without rows.
int exit_code_of(const std::vector<Row>&);

}  // namespace bptt::verify::flow
