// What the doctor looks at: the machine, and this program on it. Read once, so that a test can
// bring facts of its own.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/system.hpp"
#include "impls/linalg/blas_kernels.hpp"

namespace bptt::bench {

struct MissingBackend {
  std::string name, reason;  ///< the reason names the package to install
};

struct Facts {
  System system;
  linalg::BlasKernels blas;
  std::string compiler, compile_flags, build_type;
  std::map<std::string, std::string> variables;
  /// Libraries and backends with their versions.
  std::vector<std::pair<std::string, std::string>> libraries, backends;
  std::vector<MissingBackend> missing;
  int threads_checked = 0;   ///< for their treatment of denormals
  int threads_flushing = 0;  ///< of those, how many take denormals for zero
  /// A product on all of OpenBLAS's threads lost its denormals.
  bool blas_flushes = false;
};

/// Of this machine and this program. Sleeps a quarter of a second.
Facts inspect();

}  // namespace bptt::bench
