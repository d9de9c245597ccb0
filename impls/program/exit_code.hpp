// Exit codes of bptt-verify, bptt-bench and bptt-report: a contract with scripts and CI.
#pragma once

#include <functional>

#include "impls/api/error.hpp"

namespace bptt::program {

enum ExitCode : int {
  good = 0,
  numerically_wrong = 1,
  too_slow = 2,      ///< slower than the baseline allows
  inconclusive = 3,  ///< nothing could be concluded (bptt-verify: with --strict)
  nothing_done = 4,  ///< nothing was checked or measured
  bad_usage = 64,
  bad_data = 65,
  not_available = 69,
  skipped = 77,  ///< understood by ctest
};

ExitCode exit_code_of(ErrorKind);

/// Runs a program's body. An exception becomes one line on stderr, "NAME: MESSAGE", and the exit
/// code of its kind; std::bad_alloc and other exceptions become not_available.
int run(const char* name, const std::function<int()>& body);

}  // namespace bptt::program
