#include "bench/system.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "impls/threads/affinity.hpp"

namespace bptt::bench {
namespace {

namespace fs = std::filesystem;

/// The first line of a file; empty where it cannot be read.
std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The value of "key: value", "key=value" or "key value" lines; empty where there is none.
std::string value_in(const std::string& path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto at = line.find(separator);
    if (at == std::string::npos || at == 0) continue;
    if (std::string_view(line).substr(0, line.find_last_not_of(" \t", at - 1) + 1) != key) continue;
    const auto begin = line.find_first_not_of(" \t\"", at + 1);
    return begin == std::string::npos ? ""
                                      : line.substr(begin, line.find_last_not_of('"') - begin + 1);
  }
  return "";
}

/// Distinct (package, core) pairs of /proc/cpuinfo; the processors where it does not name cores.
int physical_cores(const std::string& cpuinfo, int processors) {
  std::ifstream file(cpuinfo);
  std::set<std::string> cores;
  std::string package;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("physical id")) package = line;
    if (line.starts_with("core id")) cores.insert(package + line);
  }
  return cores.empty() ? processors : static_cast<int>(cores.size());
}

/// How many processors "0-3,8" names; 1 where it names none.
int count_in_list(const std::string& list) {
  int count = 0;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const int first = std::atoi(part.c_str());
    count += dash == std::string::npos ? 1 : std::atoi(part.c_str() + dash + 1) - first + 1;
  }
  return std::max(1, count);
}

std::vector<Cache> caches_of_processor_0(const std::string& cpus) {
  std::vector<Cache> caches;
  for (int index = 0;; ++index) {
    const std::string folder = cpus + "cpu0/cache/index" + std::to_string(index) + "/";
    const std::string level = line_of(folder + "level");
    if (level.empty()) return caches;
    const std::string sharers = line_of(folder + "shared_cpu_list");
    caches.push_back({std::atoi(level.c_str()), line_of(folder + "type"), line_of(folder + "size"),
                      sharers, count_in_list(sharers)});
  }
}

/// Jiffies that all processors together were idle, busy, and taken away, since the system started.
struct Jiffies {
  double idle = 0, busy = 0, stolen = 0;
  double all() const { return idle + busy + stolen; }
};
std::optional<Jiffies> jiffies(const std::string& stat) {
  std::ifstream file(stat);
  std::string key;
  double user = 0, nice = 0, kernel = 0, idle = 0, wait = 0, irq = 0, soft_irq = 0, stolen = 0;
  file >> key >> user >> nice >> kernel >> idle >> wait >> irq >> soft_irq >> stolen;
  if (!file) return std::nullopt;
  return Jiffies{idle + wait, user + nice + kernel + irq + soft_irq, stolen};
}

/// The load average remembers what ran before the program did, such as its own build.
void watch(const std::string& stat, System& system) {
  const auto before = jiffies(stat);
  if (before && before->all() > 0) system.steal_since_boot = before->stolen / before->all();
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  const auto after = jiffies(stat);
  if (!before || !after || after->all() <= before->all()) return;
  const double all = after->all() - before->all();
  system.steal = (after->stolen - before->stolen) / all;
  system.busy_processors = system.online_processors *
                           (after->busy - before->busy + after->stolen - before->stolen) / all;
}

std::optional<bool> switch_in(const std::string& path, bool on_is_one = true) {
  const std::string text = line_of(path);
  if (text.empty()) return std::nullopt;
  return (text == "1") == on_is_one;
}

/// The least of the limits of this process's control group and of those around it, version 2 or 1.
std::optional<double> processor_quota(const std::string& root) {
  std::optional<double> least;
  const auto allow = [&](double quota, double period) {
    if (quota <= 0 || period <= 0) return;
    least = std::min(least.value_or(quota / period), quota / period);
  };
  const std::string groups = root + "/sys/fs/cgroup";
  std::string group = line_of(root + "/proc/self/cgroup");
  group = group.starts_with("0::") ? group.substr(3) : "/";
  while (true) {
    std::istringstream maximum(line_of(groups + group + "/cpu.max"));
    double quota = 0, period = 0;
    if (maximum >> quota >> period) allow(quota, period);
    if (group.size() <= 1) break;
    group.resize(std::max<std::size_t>(1, group.rfind('/')));
  }
  const std::string first_version = groups + "/cpu/cpu.cfs_";
  allow(std::atof(line_of(first_version + "quota_us").c_str()),
        std::atof(line_of(first_version + "period_us").c_str()));
  return least;
}

/// "always [madvise] never" -> "madvise"
std::string chosen_in(const std::string& line) {
  const auto begin = line.find('['), end = line.find(']');
  return begin == std::string::npos || end == std::string::npos
             ? ""
             : line.substr(begin + 1, end - begin - 1);
}

std::string blas_alternative(const std::string& root) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root + "/etc/alternatives", none)) {
    if (!entry.path().filename().string().starts_with("libblas.so.3")) continue;
    return fs::read_symlink(entry.path(), none).string();
  }
  return "";
}

int numa_nodes(const std::string& root) {
  const std::string nodes = line_of(root + "/sys/devices/system/node/online");
  return nodes.empty() ? 1 : count_in_list(nodes);
}

/// "MemAvailable:   123 kB" in bytes.
Index memory_in(const std::string& meminfo, std::string_view key) {
  return static_cast<Index>(std::atoll(value_in(meminfo, key, ':').c_str())) * 1024;
}

bool says_hypervisor(const std::string& cpuinfo) {
  const std::string flags = ' ' + value_in(cpuinfo, "flags", ':') + ' ';
  return flags.find(" hypervisor ") != std::string::npos;
}

}  // namespace

int usable_processors() {
  return static_cast<int>(threads::processors().size());
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

double stolen_seconds() {
  static const double ticks_in_a_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto now = jiffies("/proc/stat");
  return now ? now->stolen / ticks_in_a_second : 0;
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

System inspect_system(const std::string& root) {
  const std::string cpuinfo = root + "/proc/cpuinfo", meminfo = root + "/proc/meminfo";
  const std::string cpus = root + "/sys/devices/system/cpu/";
  System system;
  system.os = value_in(root + "/etc/os-release", "PRETTY_NAME", '=');
  utsname name = {};
  if (uname(&name) == 0) {
    system.kernel = std::string(name.sysname) + " " + name.release + " " + name.machine;
  }
  system.cpu_model = value_in(cpuinfo, "model name", ':');
  system.virtual_machine = says_hypervisor(cpuinfo);
  const std::string online = line_of(cpus + "online");
  system.online_processors =
      online.empty() ? static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) : count_in_list(online);
  system.cores = physical_cores(cpuinfo, system.online_processors);
  system.smt = switch_in(cpus + "smt/active");
  system.caches = caches_of_processor_0(cpus);
  system.governor = line_of(cpus + "cpu0/cpufreq/scaling_governor");
  system.boost = switch_in(cpus + "cpufreq/boost");
  if (!system.boost) system.boost = switch_in(cpus + "intel_pstate/no_turbo", false);
  system.usable_processors = root.empty() ? usable_processors() : system.online_processors;
  system.processor_quota = processor_quota(root);
  system.throttled_periods =
      std::atoll(value_in(root + "/sys/fs/cgroup/cpu.stat", "nr_throttled", ' ').c_str());
  system.numa_nodes = numa_nodes(root);
  system.memory_bytes = memory_in(meminfo, "MemTotal");
  system.memory_available = memory_in(meminfo, "MemAvailable");
  system.huge_pages = chosen_in(line_of(root + "/sys/kernel/mm/transparent_hugepage/enabled"));
  system.clock_source =
      line_of(root + "/sys/devices/system/clocksource/clocksource0/current_clocksource");
  system.blas_alternative = blas_alternative(root);
  std::istringstream load(line_of(root + "/proc/loadavg"));
  double minute = 0;
  if (load >> minute) system.load = minute;
  watch(root + "/proc/stat", system);
  return system;
}

std::map<std::string, std::string> relevant_variables() {
  constexpr std::string_view prefixes[] = {"OPENBLAS_", "OMP_",    "GOMP_", "KMP_",
                                           "MKL_",      "GOTO_",   "BPTT_", "TBB_",
                                           "BLIS_",     "ONEDNN_", "DNNL_", "LIBXSMM_"};
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
