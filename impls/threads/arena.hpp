// The threads of a plan on oneTBB. For backends that link it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <compare>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include "impls/api/exec.hpp"
#include "impls/threads/affinity.hpp"
#include "impls/threads/handover.hpp"

namespace bptt::threads {

/// Lets oneTBB have at least `threads` threads from now on. By itself it takes as many as there are
/// processors that the thread which used it first was bound to. The limit never goes down, not even
/// for a moment: while it does, version 2021.8 may keep threads from arenas for good that are given
/// work just then. Where it is high enough it is left alone, and where it is not it becomes that of
/// all processors at least: the lowest of all controls in a process counts, and the program around
/// this library may want more.
inline void allow_onetbb(int threads) {
  using Control = oneapi::tbb::global_control;
  static std::mutex mutex;
  // Never destroyed: oneTBB's own end may come first.
  static auto& control = *new std::unique_ptr<Control>;
  const auto wanted = static_cast<std::size_t>(threads);
  const std::lock_guard lock(mutex);
  if (Control::active_value(Control::max_allowed_parallelism) >= wanted) return;
  // The old one goes when the new one is there.
  control = std::make_unique<Control>(Control::max_allowed_parallelism,
                                      std::max(wanted, processors().size()));
}

/// Which threads an arena has, the caller's included.
struct ArenaThreads {
  int count = 1;
  int first = 0;  ///< as Exec::first_thread and Exec::bind_threads have it
  bool bound = false;
  auto operator<=>(const ArenaThreads&) const = default;
};
inline ArenaThreads threads_of(const Exec& exec) {
  return {exec.threads, exec.first_thread, exec.bind_threads};
}

/// The calling thread and others of oneTBB's, of which there may be fewer than asked for: other
/// arenas may hold them.
class Arena {
 public:
  /// Threads start here, with what oneTBB allocates for them, and not when they are first used.
  /// Where one does not come in time (a loaded machine), it comes when it can.
  explicit Arena(const ArenaThreads& threads) : Arena(Allowed(threads)) {
    using Clock = std::chrono::steady_clock;
    const int wanted = arena_.max_concurrency();
    const auto deadline = Clock::now() + std::chrono::milliseconds(200);
    std::atomic<int> here{0};
    for_each(wanted, [&](std::ptrdiff_t) {
      ++here;
      while (here < wanted && Clock::now() < deadline) std::this_thread::yield();
    });
  }

  /// Runs body(0) .. body(count-1), each a task, and returns when all have done. Tasks round, and
  /// treat denormals, as the caller does.
  template <class Body>
  void for_each(std::ptrdiff_t count, const Body& body) {
    // oneTBB would give them, and the caller's own, the environment of whoever made the arena.
    std::fenv_t environment;
    const auto task = [&](std::ptrdiff_t i) {
      take_over(&forked_);
      std::fenv_t own;
      std::fegetenv(&own);
      std::fesetenv(&environment);
      body(i);
      std::fesetenv(&own);
      hand_over(&joined_);
    };
    std::fegetenv(&environment);
    hand_over(&forked_);
    arena_.execute([&] {
      oneapi::tbb::parallel_for(std::ptrdiff_t{0}, count, task, oneapi::tbb::simple_partitioner());
    });
    take_over(&joined_);
  }

  /// In a task: which of the arena's threads it runs on. The caller's is 0.
  static int place() { return oneapi::tbb::this_task_arena::current_thread_index(); }

 private:
  struct Allowed {
    explicit Allowed(const ArenaThreads& of) : threads(of) { allow_onetbb(threads.count); }
    ArenaThreads threads;
  };
  explicit Arena(const Allowed& allowed)
      : arena_(allowed.threads.count), places_(arena_, allowed.threads) {}

  /// Puts workers where they belong as they come: one may still be bound for an arena that is gone,
  /// which does not hear of its leaving.
  class Places final : public oneapi::tbb::task_scheduler_observer {
   public:
    Places(oneapi::tbb::task_arena& arena, const ArenaThreads& threads)
        : task_scheduler_observer(arena), threads_(threads) {
      hand_over(&observed_);
      observe(true);
    }
    /// Waits until nobody is in one of the functions below.
    ~Places() override {
      observe(false);
      take_over(&left_);
    }

   private:
    static bool& bound() {
      thread_local bool here = false;
      return here;
    }
    void on_scheduler_entry(bool is_worker) override {
      if (!is_worker) return;
      take_over(&observed_);
      if (threads_.bound) {
        bound() = bind_this_thread(threads_.first + place());
      } else {
        unbind();
      }
      hand_over(&left_);
    }
    void on_scheduler_exit(bool is_worker) override {
      if (is_worker) unbind();
    }
    static void unbind() {
      if (bound()) bound() = !unbind_this_thread();
    }
    static inline char observed_ = 0, left_ = 0;
    ArenaThreads threads_;
  };

  oneapi::tbb::task_arena arena_;
  Places places_;  // after the arena it observes
  // For the thread sanitizer: from the caller to its tasks, and back. Two, so that one task is not
  // taken to have waited for another; static, so that a task finds them without reading what has
  // not been handed over yet. (What arenas have to do with each other it therefore overestimates:
  // races between calls at the same time show where these have no arenas of their own.)
  static inline char forked_ = 0, joined_ = 0;
};

}  // namespace bptt::threads
