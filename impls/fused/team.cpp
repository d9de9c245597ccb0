#include "impls/fused/team.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include <hwy/cache_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include "impls/threads/affinity.hpp"
#include "impls/threads/handover.hpp"
#include "impls/threads/onetbb.hpp"

namespace bptt::fused {
namespace {

using Clock = std::chrono::steady_clock;

/// Waits until a value is no longer what it was: spinning for a while, since a step of a small case
/// takes microseconds; then asleep, so that others have the processor, who may be the ones waited
/// for.
void wait_while(const std::atomic<int>& value, int was, int turns) {
  for (int turn = 0; turn < turns; ++turn) {
    if (value.load(std::memory_order_acquire) != was) return;
    hwy::Pause();
  }
  value.wait(was, std::memory_order_acquire);
}

/// Binds the arena's workers, as Exec::bind_threads has it, for as long as they work in it.
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

/// For the thread sanitizer: from the caller to its tasks, and back.
char forked, joined;

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

struct Team::Threads {
  explicit Threads(const Exec& exec) : arena((threads::allow_onetbb(exec.threads), exec.threads)) {
    if (exec.bind_threads) binding.emplace(arena);
  }
  oneapi::tbb::task_arena arena;
  std::optional<Binding> binding;  // after the arena it observes
};

Team::Team(const Exec& exec)
    : wanted_(exec.threads),
      bound_(exec.bind_threads),
      crowded_(threads::more_than_processors(exec.threads)),
      turns_(crowded_ ? 100 : 20000),
      barrier_(exec.threads, turns_),
      came_(static_cast<std::size_t>(exec.threads)) {
  if (wanted_ == 1) return;
  threads_ = std::make_unique<Threads>(exec);
  // Threads start here, with what oneTBB allocates for them, and not in the first call.
  const auto deadline = Clock::now() + std::chrono::milliseconds(200);
  std::atomic<int> here{0};
  const auto turn_up = [&](int) {
    threads::take_over(&forked);
    ++here;
    while (here < wanted_ && Clock::now() < deadline) std::this_thread::yield();
    threads::hand_over(&joined);
  };
  threads::hand_over(&forked);
  threads_->arena.execute(
      [&] { oneapi::tbb::parallel_for(0, wanted_, turn_up, oneapi::tbb::simple_partitioner()); });
  threads::take_over(&joined);
}

Team::~Team() = default;

void Team::join(const Task& task) noexcept {
  const int slot = oneapi::tbb::this_task_arena::current_thread_index();
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
  // oneTBB gives tasks the environment of whoever used the arena first, even on the caller.
  std::fenv_t own;
  std::fegetenv(&own);
  std::fesetenv(&environment_);
  task.call(task.body, Member(rank, size, &barrier_));
  std::fesetenv(&own);
}

void Team::run_task(const Task& task) {
  if (wanted_ == 1) return task.call(task.body, Member(0, 1, nullptr));
  const auto start = Clock::now();
  arrived_.store(0, std::memory_order_relaxed);
  size_.store(0, std::memory_order_relaxed);
  late_.store(false, std::memory_order_relaxed);
  for (std::atomic<bool>& came : came_) came.store(false, std::memory_order_relaxed);
  barrier_.reset();
  std::fegetenv(&environment_);
  caller_at_ = threads::this_processor();
  const auto member = [&](int) {
    threads::take_over(&forked);
    join(task);
    threads::hand_over(&joined);
  };
  threads::hand_over(&forked);
  threads_->arena.execute(
      [&] { oneapi::tbb::parallel_for(0, wanted_, member, oneapi::tbb::simple_partitioner()); });
  threads::take_over(&joined);
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
