// The cost of a fork-join of oneTBB; built where oneTBB is there, fork_join_none.cpp elsewhere.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include "bench/limits/limits.hpp"
#include "impls/threads/affinity.hpp"

namespace bptt::bench {
namespace {

/// Binds the workers of an arena for as long as they are in it.
class Binding final : public oneapi::tbb::task_scheduler_observer {
 public:
  explicit Binding(oneapi::tbb::task_arena& arena) : task_scheduler_observer(arena) {
    observe(true);
  }
  ~Binding() override { observe(false); }

 private:
  void on_scheduler_entry(bool is_worker) override {
    if (is_worker) threads::bind_this_thread(oneapi::tbb::this_task_arena::current_thread_index());
  }
  void on_scheduler_exit(bool is_worker) override {
    if (is_worker) threads::unbind_this_thread();
  }
};

}  // namespace

std::optional<double> measure_fork_join(int threads, bool bind) {
  constexpr int rounds = 200, tries = 5;
  constexpr auto patience = std::chrono::milliseconds(50);
  // oneTBB takes the caller's processors for all there are, and a bound caller has one.
  const oneapi::tbb::global_control control(oneapi::tbb::global_control::max_allowed_parallelism,
                                            static_cast<std::size_t>(threads));
  oneapi::tbb::task_arena arena(threads);
  arena.initialize();
  std::optional<Binding> binding;
  if (bind) binding.emplace(arena);
  // Every task waits for all others: else the caller would do them all before a worker has woken.
  std::atomic<int> arrived = 0;
  std::atomic<bool> abandoned = false;  // oneTBB did not grant as many threads
  const auto fork_and_join = [&] {
    arrived.store(0, std::memory_order_relaxed);
    const auto meet = [&](int) {
      arrived.fetch_add(1, std::memory_order_acq_rel);
      const auto start = std::chrono::steady_clock::now();
      while (arrived.load(std::memory_order_acquire) < threads && !abandoned) {
        if (std::chrono::steady_clock::now() - start > patience) abandoned = true;
      }
    };
    oneapi::tbb::parallel_for(0, threads, meet, oneapi::tbb::static_partitioner());
  };
  double least = std::numeric_limits<double>::infinity();
  arena.execute([&] {
    for (int attempt = 0; attempt < tries && !abandoned; ++attempt) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < rounds && !abandoned; ++i) fork_and_join();
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      least = std::min(least, elapsed.count() / rounds);
    }
  });
  return abandoned ? std::nullopt : std::optional(least);
}

}  // namespace bptt::bench
