// What is wrong with a machine, or a build, for measuring: each finding with what it costs and its
// cure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/doctor/facts.hpp"
#include "bench/limits/limits.hpp"

namespace bptt::bench {

/// What could be measured of the costs; empty where it was not.
struct Costs {
  std::optional<double>
      better_kernels;  ///< GEMM rate with the better kernels over that of the live
  /// Of equal products one after the other: the median's and the slowest's time over the fastest's.
  std::optional<double> median_spread, most_spread;
  std::optional<double> scaling;  ///< arithmetic of all threads over that of one
  int scaling_threads = 1;
};

struct Finding {
  enum class Severity {
    warning,  ///< figures will mislead; something can be done
    note,     ///< good to know when reading them
  };
  Severity severity = Severity::note;
  std::string_view id;  ///< short, stable
  std::string what;
  std::string cost;  ///< "measured: ..." where it was
  std::string cure;  ///< a command, a variable, or what else helps
};
std::string_view name_of(Finding::Severity);

/// Warnings first, each in the order of the table of checks.
std::vector<Finding> examine(const Facts&, const Costs&);

/// "blas-kernels: OpenBLAS runs ... Cost: ... Cure: ..." in one line.
std::string one_line(const Finding&);

bool has_warning(const std::vector<Finding>&);

}  // namespace bptt::bench
