// `bptt-bench --doctor`: what this machine is, and what is wrong with it for measuring.
#pragma once

#include <iosfwd>

#include <boost/program_options.hpp>

namespace bptt::bench {

/// Examines, prints, and with --json writes. Returns the exit code: good, or with --strict
/// inconclusive where there is a warning. Throws Error(unavailable) where the file cannot be
/// written.
int run_doctor(const boost::program_options::variables_map&, std::ostream& out);

}  // namespace bptt::bench
