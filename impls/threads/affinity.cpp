#include "impls/threads/affinity.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sched.h>
#include <unistd.h>

namespace bptt::threads {
namespace {

std::vector<int> allowed_processors() {
  std::vector<int> allowed;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) allowed.push_back(cpu);
    }
  }
  if (allowed.empty()) allowed.push_back(0);
  return allowed;
}

std::vector<int> other_threads() {
  std::vector<int> ids;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    const int id = std::atoi(entry.path().filename().c_str());
    if (id != getpid()) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Taken while the program is loaded: later, threads and masks are the program's own doing. Never
// destroyed: threads of a library may still ask while the program ends.
const std::vector<int>& processors_at_start = *new std::vector<int>(allowed_processors());
const std::vector<int> threads_at_start = other_threads();

}  // namespace

const std::vector<int>& processors() {
  return processors_at_start;
}
std::span<const int> threads_before_main() {
  return threads_at_start;
}

bool bind_thread(int thread_id, int k) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const auto count = static_cast<int>(processors().size());
  CPU_SET(static_cast<std::size_t>(processors()[static_cast<std::size_t>(k % count)]), &set);
  return sched_setaffinity(thread_id, sizeof set, &set) == 0;
}

bool more_than_processors(int threads) {
  return static_cast<std::size_t>(threads) > processors().size();
}

bool bind_this_thread(int k) {
  return bind_thread(0, k);
}

bool unbind_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : processors()) CPU_SET(static_cast<std::size_t>(cpu), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

int this_processor() {
  return sched_getcpu();
}

bool make_way_on(int processor) {
  if (processor < 0 || this_processor() != processor) return true;
  cpu_set_t own;
  if (sched_getaffinity(0, sizeof own, &own) != 0 || CPU_COUNT(&own) < 2) return false;
  cpu_set_t others = own;
  CPU_CLR(static_cast<std::size_t>(processor), &others);
  // Once it has moved, nothing keeps it from staying.
  return sched_setaffinity(0, sizeof others, &others) == 0 &&
         sched_setaffinity(0, sizeof own, &own) == 0;
}

}  // namespace bptt::threads
