#include "bench/limits/limits.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>

#include <hwy/aligned_allocator.h>

#include "bench/limits/kernels.hpp"
#include "bench/limits/team.hpp"
#include "impls/api/memory.hpp"
#include "impls/threads/affinity.hpp"

namespace bptt::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Seconds from when all members begin until the last has ended: the fastest of some tries, since
/// what else runs on the machine can only make them longer.
double fastest(int threads, bool bind, int tries, const std::function<void(int)>& member) {
  SpinBarrier barrier(threads);
  double least = std::numeric_limits<double>::infinity();
  run_team(threads, bind, [&](int k) {
    for (int attempt = 0; attempt < tries; ++attempt) {
      barrier.wait();
      const auto start = Clock::now();
      member(k);
      barrier.wait();
      if (k == 0) least = std::min(least, seconds_since(start));
    }
  });
  return least;
}

template <Real T>
double fma_rate(int threads, bool bind) {
  // About 3 ms: far longer than the barriers, far shorter than a time slice.
  constexpr std::size_t rounds = 1 << 20;
  constexpr int tries = 6;
  const double flops = run_multiply_adds<T>(1) * static_cast<double>(rounds) * threads;
  return flops / fastest(threads, bind, tries, [&](int) { run_multiply_adds<T>(rounds); });
}

/// A level of cache, or memory, as it is measured.
struct Level {
  std::string name;
  double capacity = 0;     ///< of all threads; 0: memory
  double working_set = 0;  ///< of one thread
};

std::vector<Level> levels_of(const std::vector<Cache>& caches, int threads) {
  std::vector<Level> levels;
  double below = 0, largest = 0;
  for (const Cache& cache : caches) {
    if (cache.type == "Instruction") continue;
    const double size = bytes_of(cache.size);
    if (size <= 0) continue;
    const int sharers = std::max(1, std::min(cache.sharers, threads));
    const double share = size / sharers;
    largest = std::max(largest, size * ((threads + sharers - 1) / sharers));
    // A level that holds no more for each thread than the one below cannot be seen by itself.
    if (share / 2 > below) {
      levels.push_back({"L" + std::to_string(cache.level), share * threads, share / 2});
    }
    below = share;
  }
  // What caches cannot keep, yet not what the machine has not got.
  constexpr double unknown_caches = 64e6, most = 1e9;
  const double wanted = std::min(largest > 0 ? 4 * largest : unknown_caches, most);
  const double free = static_cast<double>(available_memory());
  levels.push_back({"memory", 0, std::min(wanted, free / 8) / threads});
  return levels;
}

std::vector<Bandwidth> bandwidths(const std::vector<Cache>& caches, int threads, bool bind) {
  std::vector<Bandwidth> measured;
  std::atomic<double> sink = 0;
  for (const Level& level : levels_of(caches, threads)) {
    const auto count = static_cast<std::size_t>(level.working_set / sizeof(double));
    // An array of its own for each level: the first KiB of one that is far larger were read a third
    // more slowly. Aligned: a vector that crosses a cache line takes two reads. Each thread touches
    // its own array first, so that it lies in memory near it.
    std::vector<hwy::AlignedFreeUniquePtr<double[]>> arrays(static_cast<std::size_t>(threads));
    run_team(threads, bind, [&](int k) {
      auto& array = arrays[static_cast<std::size_t>(k)];
      array = hwy::AllocateAligned<double>(count);
      if (!array) throw Error(ErrorKind::unavailable, "no memory to measure bandwidths with");
      std::fill_n(array.get(), count, 1.0);
    });
    constexpr std::size_t line = 64 / sizeof(double);
    const std::size_t third = count / 3 / line * line;
    // At least 2 ms of a level: some hundred passes over a small one, one over memory.
    constexpr double bytes_wanted = 100e6;
    const double bytes = static_cast<double>(count * sizeof(double));
    const auto passes = std::max(1, static_cast<int>(bytes_wanted / bytes));
    // A try over a cache is over in a millisecond, which a neighbour easily spoils.
    const int tries = passes > 1 ? 15 : 4;
    const double read = fastest(threads, bind, tries, [&](int k) {
      const double* array = arrays[static_cast<std::size_t>(k)].get();
      sink = read_array(array, count, passes);
    });
    const double triads = fastest(threads, bind, tries, [&](int k) {
      double* array = arrays[static_cast<std::size_t>(k)].get();
      for (int pass = 0; pass < passes; ++pass) {
        triad(array, array + third, array + 2 * third, third);
      }
    });
    const double total = bytes * passes * threads;
    const double of_triads = static_cast<double>(3 * third * sizeof(double)) * passes * threads;
    measured.push_back({level.name, threads, level.capacity, total / read, of_triads / triads});
  }
  return measured;
}

double barrier_seconds(int threads, bool bind) {
  constexpr int rounds = 1000, tries = 5;
  SpinBarrier barrier(threads);
  return fastest(threads, bind, tries,
                 [&](int) {
                   for (int i = 0; i < rounds; ++i) barrier.wait();
                 }) /
         rounds;
}

double core_latency(int processor) {
  constexpr int rounds = 1000, tries = 5;
  alignas(128) std::atomic<int> ball = 0;
  double least = std::numeric_limits<double>::infinity();
  run_team(2, false, [&](int k) {
    threads::bind_this_thread(k * processor);
    for (int attempt = 0; attempt < tries; ++attempt) {
      const auto start = Clock::now();
      for (int i = 0; i < rounds; ++i) {
        const int mine = 2 * (attempt * rounds + i) + (k == 0 ? 0 : 1);
        while (ball.load(std::memory_order_acquire) != mine) {
        }
        ball.store(mine + 1, std::memory_order_release);
      }
      if (k == 0) least = std::min(least, seconds_since(start));
    }
  });
  return least / rounds / 2;
}

}  // namespace

const Bandwidth* Limits::level_for(double bytes, int threads) const {
  const Bandwidth* farthest = nullptr;
  for (const Bandwidth& one : bandwidths) {
    if (one.threads != threads) continue;
    if (one.capacity >= bytes) return &one;
    farthest = &one;
  }
  return farthest;
}

Limits measure_limits(const std::vector<Dtype>& dtypes, const std::vector<int>& threads,
                      const std::vector<Cache>& caches, bool bind) {
  Limits limits;
  const int processors = usable_processors();
  for (const int count : threads) {
    if (count > processors) continue;
    for (const Dtype dtype : dtypes) {
      limits.fma[{dtype, count}] =
          dispatch(dtype, [&]<class T>(std::type_identity<T>) { return fma_rate<T>(count, bind); });
    }
    for (Bandwidth& one : bandwidths(caches, count, bind)) {
      limits.bandwidths.push_back(std::move(one));
    }
    if (count == 1) continue;
    limits.barrier[count] = barrier_seconds(count, bind);
    if (const auto seconds = measure_fork_join(count, bind)) limits.fork_join[count] = *seconds;
  }
  constexpr int most_processors = 16;
  const int most = threads.empty() ? 1 : *std::max_element(threads.begin(), threads.end());
  for (int k = 1; bind && k < std::min({most, processors, most_processors}); ++k) {
    limits.core_to_core.push_back({k, core_latency(k)});
  }
  return limits;
}

double bytes_of(const std::string& cache_size) {
  char* unit = nullptr;
  const double number = std::strtod(cache_size.c_str(), &unit);
  if (unit == cache_size.c_str() || !(number > 0)) return 0;
  const std::string_view rest = unit;
  if (rest == "K") return number * 1024;
  if (rest == "M") return number * 1024 * 1024;
  return rest.empty() ? number : 0;
}

}  // namespace bptt::bench
