#include "impls/api/memory.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <string_view>

#include "impls/api/error.hpp"

namespace bptt {
namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// The first number in a file; `unlimited` where there is none ("max" in a control group's file).
std::size_t number_in(const char* path) {
  std::ifstream file(path);
  std::size_t number = 0;
  return file >> number ? number : unlimited;
}

/// The number that follows a key at the start of a line; 0 where there is none.
std::size_t number_after(std::string_view wanted, const char* path) {
  std::ifstream file(path);
  for (std::string key, rest; file >> key;) {
    std::size_t number = 0;
    if (!(file >> number)) break;
    std::getline(file, rest);
    if (key == wanted) return number;
  }
  return 0;
}

std::size_t system_available() {
  const std::size_t kib = number_after("MemAvailable:", "/proc/meminfo");
  return kib == 0 ? unlimited : kib * 1024;
}

std::size_t control_group_available() {
  const std::size_t limit = number_in("/sys/fs/cgroup/memory.max");
  const std::size_t used = number_in("/sys/fs/cgroup/memory.current");
  if (limit == unlimited || used == unlimited) return unlimited;
  // File cache counts as used, but gives way.
  const std::size_t cache = number_after("inactive_file", "/sys/fs/cgroup/memory.stat");
  const std::size_t held = used > cache ? used - cache : 0;
  return limit > held ? limit - held : 0;
}

}  // namespace

std::size_t available_memory() {
  return std::min(system_available(), control_group_available());
}

void require_memory(std::size_t bytes, const std::string& what) {
  // Less than what is free changes by from one moment to the next; and asking takes longer than a
  // small plan runs.
  constexpr std::size_t not_worth_asking = std::size_t{1} << 20;
  if (bytes < not_worth_asking) return;
  const std::size_t available = available_memory();
  if (bytes > available) {
    throw Error(ErrorKind::unavailable,
                what + ": needs " + bytes_text(bytes) + "; " + bytes_text(available) + " are free");
  }
}

std::string bytes_text(std::size_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 6; ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace bptt
