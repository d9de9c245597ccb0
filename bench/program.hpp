// bptt-bench as a function, so that tests can put backends and verdicts of their own under it.
#pragma once

#include <iosfwd>

#include "bench/verdict.hpp"

namespace bptt::bench {

/// Runs the program. Returns its exit code; throws Error as program::run expects.
int run_program(int argc, const char* const* argv, const Verifier&, std::ostream& out,
                std::ostream& err);

}  // namespace bptt::bench
