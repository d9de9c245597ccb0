// What the machine under the program is, as far as results depend on it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// Processors this process may run on.
int usable_processors();

std::string host_name();
/// Now, ISO 8601 in UTC: "2026-01-02T03:04:05Z".
std::string utc_now();
/// The largest resident set of the process so far.
Index peak_rss_bytes();

struct Cache {
  int level = 0;
  std::string type;       ///< Data, Instruction, Unified
  std::string size;       ///< "1024K"
  std::string shared_by;  ///< processors, "0-1"
};

struct System {
  std::string os, kernel, cpu_model;
  int cores = 0;              ///< physical
  int online_processors = 0;  ///< hardware threads
  std::optional<bool> smt;    ///< several hardware threads to a core are in use
  std::vector<Cache> caches;  ///< of processor 0
  std::string governor;       ///< empty where the system does not show it
  std::optional<bool> boost;
  Index memory_bytes = 0;
  std::optional<double> load;             ///< runnable threads, averaged over the last minute
  std::optional<double> busy_processors;  ///< while this process slept a quarter of a second
  bool denormals_flushed = false;         ///< FTZ or DAZ is set on the calling thread
};
System inspect_system();

/// Environment variables that change how fast or how exact the numbers come out, where set.
std::map<std::string, std::string> relevant_variables();

}  // namespace bptt::bench
