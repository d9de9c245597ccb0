// `bptt-verify --self-test` from its arguments to its exit code.
#pragma once

#include <iosfwd>

namespace bptt::verify::self_test {

/// What main() returns where nothing is thrown. Throws Error as impls/program/exit_code.hpp has it.
int run_program(int argc, const char* const* argv, std::ostream& out);

}  // namespace bptt::verify::self_test
