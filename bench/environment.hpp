// environment.json: the machine and the build that a results file comes from.
#pragma once

#include <string>
#include <vector>

#include "bench/doctor/findings.hpp"
#include "bench/gemm_peak.hpp"
#include "bench/journal.hpp"
#include "bench/limits/limits.hpp"

namespace bptt::bench {

struct Environment {
  Facts facts;
  std::vector<Finding> findings;
  Peaks peaks;                       ///< GFLOP/s before the first measurement
  Peaks peaks_at_end;                ///< empty until the run is over
  Limits limits, limits_at_end;      ///< the latter empty until the run is over
  std::vector<GemmAtShape> gemms;    ///< of the products that the cases are made of
  std::vector<std::string> command;  ///< argv
  std::string preset;
  bool threads_bound = false;
};

/// "DIR/r.csv" -> "DIR/r.environment.json"
std::string environment_path(const std::string& results_path);

/// Writes the environment of a run beside its results: as environment_path(), which is that file's
/// for good, and as environment.json, which is the folder's last run's. Nothing where the results
/// do not go to a regular file. Throws Error(unavailable) with the path and the system's reason.
void write_environment(const Environment&, const Journal&);

}  // namespace bptt::bench
