#include "bench/system.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <set>
#include <thread>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "impls/threads/affinity.hpp"

namespace bptt::bench {
namespace {

/// The first line of a file; empty where it cannot be read.
std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The value of "key: value" or "key=value" lines; empty where there is none.
std::string value_in(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto at = line.find(separator);
    if (at == std::string::npos) continue;
    if (std::string_view(line).substr(0, line.find_last_not_of(" \t", at - 1) + 1) != key) continue;
    const auto begin = line.find_first_not_of(" \t\"", at + 1);
    return begin == std::string::npos ? ""
                                      : line.substr(begin, line.find_last_not_of('"') - begin + 1);
  }
  return "";
}

/// Distinct (package, core) pairs of /proc/cpuinfo; the processors where it does not name cores.
int physical_cores(int processors) {
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> cores;
  std::string package;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("physical id")) package = line;
    if (line.starts_with("core id")) cores.insert(package + line);
  }
  return cores.empty() ? processors : static_cast<int>(cores.size());
}

std::vector<Cache> caches_of_processor_0() {
  std::vector<Cache> caches;
  for (int index = 0;; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    const std::string level = line_of(folder + "level");
    if (level.empty()) return caches;
    caches.push_back({std::atoi(level.c_str()), line_of(folder + "type"), line_of(folder + "size"),
                      line_of(folder + "shared_cpu_list")});
  }
}

/// Jiffies that all processors together were idle and not, since the system started.
struct Jiffies {
  double idle = 0, busy = 0;
};
std::optional<Jiffies> jiffies() {
  std::ifstream file("/proc/stat");
  std::string key;
  double user = 0, nice = 0, kernel = 0, idle = 0, wait = 0, irq = 0, soft_irq = 0, stolen = 0;
  file >> key >> user >> nice >> kernel >> idle >> wait >> irq >> soft_irq >> stolen;
  if (!file) return std::nullopt;
  return Jiffies{idle + wait, user + nice + kernel + irq + soft_irq + stolen};
}

/// The load average remembers what ran before the program did, such as its own build.
std::optional<double> busy_processors(int processors) {
  const auto before = jiffies();
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  const auto after = jiffies();
  if (!before || !after) return std::nullopt;
  const double idle = after->idle - before->idle, busy = after->busy - before->busy;
  if (idle + busy <= 0) return std::nullopt;
  return processors * busy / (idle + busy);
}

std::optional<bool> switch_in(const char* path, bool on_is_one = true) {
  const std::string text = line_of(path);
  if (text.empty()) return std::nullopt;
  return (text == "1") == on_is_one;
}

}  // namespace

int usable_processors() {
  return static_cast<int>(threads::processors().size());
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string utc_now() {
  std::array<char, 32> text{};
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

Index peak_rss_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<Index>(usage.ru_maxrss) * 1024;
}

System inspect_system() {
  System system;
  system.os = value_in("/etc/os-release", "PRETTY_NAME", '=');
  utsname name = {};
  if (uname(&name) == 0) {
    system.kernel = std::string(name.sysname) + " " + name.release + " " + name.machine;
  }
  system.cpu_model = value_in("/proc/cpuinfo", "model name", ':');
  system.online_processors = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  system.cores = physical_cores(system.online_processors);
  system.smt = switch_in("/sys/devices/system/cpu/smt/active");
  system.caches = caches_of_processor_0();
  system.governor = line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  system.boost = switch_in("/sys/devices/system/cpu/cpufreq/boost");
  if (!system.boost) {
    system.boost = switch_in("/sys/devices/system/cpu/intel_pstate/no_turbo", false);
  }
  system.memory_bytes =
      static_cast<Index>(sysconf(_SC_PHYS_PAGES)) * static_cast<Index>(sysconf(_SC_PAGESIZE));
  system.busy_processors = busy_processors(system.online_processors);
  double load = 0;
  if (getloadavg(&load, 1) == 1) system.load = load;
#if defined(__SSE2__)
  constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
  system.denormals_flushed = (_mm_getcsr() & (flush_to_zero | denormals_are_zero)) != 0;
#endif
  return system;
}

std::map<std::string, std::string> relevant_variables() {
  constexpr std::string_view prefixes[] = {"OPENBLAS_", "OMP_",  "GOMP_", "KMP_", "MKL_",
                                           "GOTO_",     "BPTT_", "TBB_",  "BLIS_"};
  std::map<std::string, std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    for (const auto prefix : prefixes) {
      if (!text.starts_with(prefix)) continue;
      const auto equals = text.find('=');
      found.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return found;
}

}  // namespace bptt::bench
