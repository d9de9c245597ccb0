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
/// Seconds that the host has taken from processors that had work, since the system started, in
/// steps of some milliseconds; 0 where it does not tell.
double stolen_seconds();
/// The largest resident set of the process so far.
Index peak_rss_bytes();

struct Cache {
  int level = 0;
  std::string type;       ///< Data, Instruction, Unified
  std::string size;       ///< "1024K"
  std::string shared_by;  ///< processors, "0-1"
  int sharers = 1;        ///< how many those are
};

struct System {
  std::string os, kernel, cpu_model;
  bool virtual_machine = false;  ///< a hypervisor says it is there
  int cores = 0;                 ///< physical
  int online_processors = 0;     ///< hardware threads
  std::optional<bool> smt;       ///< several hardware threads to a core are in use
  std::vector<Cache> caches;     ///< of processor 0
  std::string governor;          ///< empty where the system does not show it
  std::optional<bool> boost;
  int usable_processors = 0;  ///< by this process's affinity mask
  std::optional<double>
      processor_quota;          ///< that the control group allows; none: as many as there are
  Index throttled_periods = 0;  ///< in which the control group had used that up
  int numa_nodes = 1;
  Index memory_bytes = 0, memory_available = 0;
  std::string huge_pages;        ///< of transparent huge pages: always, madvise, never; or empty
  std::string clock_source;      ///< tsc, kvm-clock, hpet, ...; or empty
  std::string blas_alternative;  ///< what libblas.so.3 stands for; empty where it is no alternative
  std::optional<double> load;    ///< runnable threads, averaged over the last minute
  std::optional<double> steal_since_boot;  ///< fraction of the time that the host took away
  std::optional<double> busy_processors;   ///< while this process slept a quarter of a second
  std::optional<double> steal;             ///< in that time
};

/// Sleeps for a quarter of a second. `root` is put before the paths that are read ("" or a folder
/// with proc/, sys/ and etc/ in it, for tests).
System inspect_system(const std::string& root = "");

/// Environment variables that change how fast or how exact the numbers come out, where set.
std::map<std::string, std::string> relevant_variables();

}  // namespace bptt::bench
