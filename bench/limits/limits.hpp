// What the machine itself can do, measured beside every sweep: arithmetic, memory, and what it
// costs to make threads work together. Results are read against it (bench/bound.hpp).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/system.hpp"
#include "impls/api/scalar.hpp"

namespace bptt::bench {

/// A level of memory as so many threads see it.
struct Bandwidth {
  std::string level;  ///< "L1", "L2", "L3", "memory"
  int threads = 1;
  double capacity = 0;  ///< bytes that the threads' caches of this level hold together; 0: memory
  double read = 0;      ///< bytes per second, all threads together
  double triad = 0;     ///< a = b + s c; three streams counted
  double best() const { return read > triad ? read : triad; }
};

/// Between processor 0 and another: half of a round trip of a cache line.
struct CoreLatency {
  int processor = 0;  ///< k-th of those the process may use
  double seconds = 0;
};

struct Limits {
  std::map<std::pair<Dtype, int>, double> fma;  ///< FLOP/s by dtype and threads
  std::vector<Bandwidth> bandwidths;            ///< by threads, then by level, the nearest first
  std::map<int, double> fork_join;  ///< seconds of a parallel loop of oneTBB that does nothing
  std::map<int, double> barrier;    ///< seconds of a spinning barrier
  std::vector<CoreLatency> core_to_core;

  bool empty() const { return fma.empty(); }
  /// The nearest level that holds so many bytes, or memory; null where nothing was measured.
  const Bandwidth* level_for(double bytes, int threads) const;
};

/// In about a quarter of a second for each entry of `threads`. Counts beyond the processors that
/// the process may use are left out.
Limits measure_limits(const std::vector<Dtype>&, const std::vector<int>& threads,
                      const std::vector<Cache>&, bool bind);

/// Seconds of a parallel loop of oneTBB over as many tasks as threads, each on a thread of its own
/// and doing nothing but wait for the others; nothing where that many threads are not granted, or
/// the program was built without oneTBB.
std::optional<double> measure_fork_join(int threads, bool bind);

/// "32K", "1024K", "36M" in bytes; 0 where it is not that.
double bytes_of(const std::string& cache_size);

}  // namespace bptt::bench
