// `bptt-bench --doctor`: what this machine is, and what is wrong with it for measuring.
#pragma once

#include <iosfwd>
#include <set>
#include <string>

#include <boost/program_options.hpp>

namespace bptt::bench {

/// Examines, prints, and with --json writes. Returns the exit code: good, or with --strict
/// inconclusive where there is a warning. Throws Error(usage) for a flag of the command line,
/// `given`, that is about something else, Error(unavailable) where the file cannot be written.
int run_doctor(const boost::program_options::variables_map&, const std::set<std::string>& given,
               std::ostream& out);

}  // namespace bptt::bench
