#include "impls/fused/team.hpp"

#include <algorithm>
#include <thread>

#include <hwy/cache_control.h>

#include "impls/fused/waiting.hpp"
#include "impls/threads/affinity.hpp"

namespace bptt::fused {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int closed = 1 << 20;

/// How long a call waits for its threads. They may be held by another plan for good, so that a call
/// waits for long only if those before it had reason to, and now and then to see whether that has
/// changed; longer where a call takes so long that it hardly matters.
constexpr auto long_patience = std::chrono::milliseconds(2);
constexpr auto short_patience = std::chrono::microseconds(50);
constexpr int calls_of_short_patience = 63, long_part = 10, short_part = 100;

}  // namespace

void Barrier::wait(int rank, int size) {
  std::atomic<int>& own = flags_[static_cast<std::size_t>(rank)].round;
  const int round = own.load(std::memory_order_relaxed);
  // Sequentially consistent: notifying must not look for sleepers before this is seen.
  own.store(round + 1, std::memory_order_seq_cst);
  own.notify_all();
  // Another is still in this round, or up to one ahead.
  for (int other = 0; other < size; ++other) {
    if (other != rank) wait_while(flags_[static_cast<std::size_t>(other)].round, round, turns_);
  }
}

Team::Team(const Exec& exec)
    : wanted_(exec.threads),
      bound_(exec.bind_threads),
      turns_(turns_before_sleep(exec)),
      barrier_(exec.threads, turns_),
      came_(static_cast<std::size_t>(exec.threads)) {
  if (wanted_ > 1) arena_.emplace(threads::threads_of(exec));
}

void Team::join(const Task& task) noexcept {
  const int slot = threads::Arena::place();
  if (slot != 0 && !bound_) threads::make_way_on(caller_at_);
  // Not the first time: it has done its part, and takes the task of one that has not come.
  const bool again =
      came_[static_cast<std::size_t>(slot)].exchange(true, std::memory_order_relaxed);
  const int arrival = arrived_.fetch_add(1, std::memory_order_acq_rel);
  if ((arrival & closed) != 0) {
    if (!again) late_.store(true, std::memory_order_relaxed);
    return;
  }
  if (arrival == 0) {
    const auto deadline =
        Clock::now() + (impatient_calls_ > 0
                            ? std::max<Clock::duration>(short_patience, last_call_ / short_part)
                            : std::max<Clock::duration>(long_patience, last_call_ / long_part));
    for (int turn = 0; arrived_.load(std::memory_order_acquire) < wanted_; ++turn) {
      hwy::Pause();
      if (turn % 64 != 63) continue;
      if (Clock::now() > deadline) break;
      // The system wakes threads on the processor of whoever wakes them: the missing one may be
      // waiting for this one to make way.
      std::this_thread::yield();
    }
    const int came = arrived_.fetch_or(closed, std::memory_order_acq_rel);
    size_.store(came, std::memory_order_seq_cst);
    size_.notify_all();
  } else {
    wait_while(size_, 0, turns_);
  }
  const int size = size_.load(std::memory_order_acquire);
  // The same thread does the same part in every call, if all are there: its caches know it.
  const int rank = size == wanted_ ? slot : arrival;
  task.call(task.body, Member(rank, size, &barrier_));
}

void Team::run_task(const Task& task) {
  if (wanted_ == 1) return task.call(task.body, Member(0, 1, nullptr));
  const auto start = Clock::now();
  arrived_.store(0, std::memory_order_relaxed);
  size_.store(0, std::memory_order_relaxed);
  late_.store(false, std::memory_order_relaxed);
  for (std::atomic<bool>& came : came_) came.store(false, std::memory_order_relaxed);
  barrier_.reset();
  caller_at_ = threads::this_processor();
  arena_->lease()->for_each(wanted_, [&](std::ptrdiff_t) { join(task); });
  last_call_ = Clock::now() - start;
  // A thread that comes late is on its way: the next call had better wait for it.
  const bool in_vain =
      size_.load(std::memory_order_relaxed) < wanted_ && !late_.load(std::memory_order_relaxed);
  if (!in_vain) {
    impatient_calls_ = 0;
  } else {
    impatient_calls_ = impatient_calls_ == 0 ? calls_of_short_patience : impatient_calls_ - 1;
  }
}

}  // namespace bptt::fused
