#include "impls/fused/team.hpp"

#include <cfenv>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>

#include <hwy/cache_control.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

#include "impls/threads/affinity.hpp"
#include "impls/threads/handover.hpp"

namespace bptt::fused {
namespace {

using Clock = std::chrono::steady_clock;

/// Waits until a value is no longer what it was: spinning for a while, since a step of a small case
/// takes microseconds; then asleep, so that others have the processor, who may be the ones waited
/// for.
void wait_while(const std::atomic<int>& value, int was, const std::atomic<bool>& crowded) {
  const int turns = crowded.load(std::memory_order_relaxed) ? 100 : 20000;
  for (int turn = 0; turn < turns; ++turn) {
    if (value.load(std::memory_order_acquire) != was) return;
    hwy::Pause();
  }
  value.wait(was, std::memory_order_acquire);
}

/// How long a call waits for its threads. They may be held by another plan for good, so that a call
/// waits for long only if those before it had reason to, and now and then to see whether that has
/// changed.
constexpr auto long_patience = std::chrono::milliseconds(2);
constexpr auto short_patience = std::chrono::microseconds(50);
constexpr int calls_of_short_patience = 63;

/// How long a thread stays for the next call. oneTBB takes some 20 us to bring one that still
/// looks for work, 50 us and more once it sleeps; what a program does between two calls is often
/// less than this. For most of the time a thread that waits gives way to any other that wants its
/// processor.
constexpr auto stay = std::chrono::microseconds(200), stay_busy = std::chrono::microseconds(20);

/// How long a caller that waits for a thread takes to see that it has come.
constexpr auto welcome = std::chrono::microseconds(5);

/// Of all teams: workers that are with one, those that are on their way, and how many oneTBB has. A
/// worker does not stay where it is not at work if another team wants it.
std::atomic<int> all_present{0}, all_awaited{0}, all_there_are{0};

}  // namespace

void Barrier::wait(int rank, int size) {
  std::atomic<int>& own = flags_[static_cast<std::size_t>(rank)].round;
  const int round = own.load(std::memory_order_relaxed);
  // Sequentially consistent: notifying must not look for sleepers before this is seen.
  own.store(round + 1, std::memory_order_seq_cst);
  own.notify_all();
  // Another is still in this round, or up to one ahead.
  for (int other = 0; other < size; ++other) {
    if (other != rank) wait_while(flags_[static_cast<std::size_t>(other)].round, round, crowded_);
  }
}

/// The workers' places, and the call at hand. A worker that comes sits down, `waiting`. The caller
/// of a call holds those that wait, and once it knows how many they are lets them go to work; when
/// done they wait for the next call. A worker leaves only from `waiting`.
class Team::Crew {
 public:
  explicit Crew(const Exec& exec)
      : crowded_(threads::more_than_processors(exec.threads)),
        bind_(exec.bind_threads),
        seats_(static_cast<std::size_t>(exec.threads)),
        barrier_(exec.threads, crowded_) {}

  // The caller's side.

  /// Before a thread is asked of oneTBB.
  void expect_one() {
    using Control = oneapi::tbb::global_control;
    all_there_are.store(
        static_cast<int>(Control::active_value(Control::max_allowed_parallelism)) - 1,
        std::memory_order_relaxed);
    caller_at_.store(threads::this_processor(), std::memory_order_relaxed);
    users_.fetch_add(1, std::memory_order_relaxed);
    on_their_way_.fetch_add(1, std::memory_order_relaxed);
    all_awaited.fetch_add(1, std::memory_order_relaxed);
  }
  /// How many are neither here nor on their way.
  int missing() const {
    // In this order: one that sits down in between is not missing twice.
    const int on_their_way = on_their_way_.load(std::memory_order_acquire);
    return static_cast<int>(seats_.size()) - 1 - waiting() - on_their_way;
  }
  int on_their_way() const { return on_their_way_.load(std::memory_order_relaxed); }
  int waiting() const {
    int count = 0;
    for (const Seat& seat : seats_) {
      count += seat.state.load(std::memory_order_acquire) == Seat::waiting ? 1 : 0;
    }
    return count;
  }
  /// Runs the task on the caller and all who wait; returns how many that were.
  int work(const Task& task) {
    task_ = task;
    size_ = 1;
    for (Seat& seat : seats_) {
      int state = Seat::waiting;
      // The same thread does the same part in every call, if all are there: its caches know it.
      if (seat.state.compare_exchange_strong(state, Seat::held)) seat.rank = size_++;
    }
    std::fegetenv(&environment_);
    barrier_.reset();
    for (Seat& seat : seats_) {
      if (seat.state.load(std::memory_order_relaxed) == Seat::held) {
        seat.state.store(Seat::working, std::memory_order_release);
      }
    }
    task.call(task.body, Member(0, size_, &barrier_));
    for (Seat& seat : seats_) wait_while(seat.state, Seat::working, crowded_);
    return size_;
  }
  /// There will be no more calls.
  void dismiss() {
    dismissed_.store(true, std::memory_order_relaxed);
    leave();
  }
  /// The last one to leave, who may be a worker that comes when the team is gone, ends the crew.
  void leave() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // The worker's side.

  /// From coming to leaving.
  void serve() {
    const int place = oneapi::tbb::this_task_arena::current_thread_index();
    all_present.fetch_add(1, std::memory_order_relaxed);
    all_awaited.fetch_sub(1, std::memory_order_relaxed);
    // Beyond the arena's own: a thread that oneTBB started for the sake of progress alone.
    if (place < 1 || static_cast<std::size_t>(place) >= seats_.size()) {
      on_their_way_.fetch_sub(1, std::memory_order_release);
    } else {
      sit(place);
    }
    all_present.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  struct alignas(128) Seat {  // two lines: they are fetched in pairs
    enum State : int { empty, waiting, held, working };
    std::atomic<int> state{empty};
    int rank = 0;  ///< in the call at hand
  };

  void sit(int place) {
    Seat& seat = seats_[static_cast<std::size_t>(place)];
    if (bind_) {
      threads::bind_this_thread(place);
    } else if (!threads::make_way_on(caller_at_.load(std::memory_order_relaxed))) {
      crowded_.store(true, std::memory_order_relaxed);
    }
    std::fenv_t own;
    std::fegetenv(&own);
    seat.state.store(Seat::waiting, std::memory_order_release);
    on_their_way_.fetch_sub(1, std::memory_order_release);
    for (auto patience = welcome; wait_for_call(seat, patience);
         patience = std::chrono::microseconds(0)) {
      // Rounding, and what becomes of denormals, are the caller's.
      std::fesetenv(&environment_);
      task_.call(task_.body, Member(seat.rank, size_, &barrier_));
      // Sequentially consistent: as in a barrier.
      seat.state.store(Seat::waiting, std::memory_order_seq_cst);
      seat.state.notify_all();
    }
    std::fesetenv(&own);
    if (bind_) threads::unbind_this_thread();
  }

  /// Another team waits for a thread, and oneTBB has none but those that are with a team. Counts
  /// are read one by one, so that it may be wrong now and then: a thread then leaves for nothing,
  /// or a moment later.
  bool wanted_elsewhere() const {
    const int awaited = all_awaited.load(std::memory_order_relaxed);
    return awaited > on_their_way_.load(std::memory_order_relaxed) &&
           awaited + all_present.load(std::memory_order_relaxed) >
               all_there_are.load(std::memory_order_relaxed);
  }

  /// True when there is one; false when the worker has left its seat, which it does for another
  /// team after some patience only.
  bool wait_for_call(Seat& seat, Clock::duration patience) {
    const auto since = Clock::now();
    auto waited = Clock::duration::zero();
    for (int turn = 0;; ++turn) {
      const int state = seat.state.load(std::memory_order_acquire);
      if (state == Seat::working) return true;
      const bool unwanted = waited > stay || dismissed_.load(std::memory_order_relaxed) ||
                            (waited >= patience && wanted_elsewhere());
      int expected = Seat::waiting;
      if (unwanted && seat.state.compare_exchange_strong(expected, Seat::empty)) return false;
      hwy::Pause();
      if (waited > stay_busy || crowded_) std::this_thread::yield();
      if (turn % 16 == 15) waited = Clock::now() - since;
    }
  }

  ~Crew() = default;

  std::atomic<bool> crowded_;  ///< threads share processors
  bool bind_;
  std::vector<Seat> seats_;  ///< by place in the arena, of which the first one is the caller's
  Barrier barrier_;
  std::atomic<int> users_{1};  ///< the team, the workers and those on their way
  std::atomic<int> on_their_way_{0};
  std::atomic<int> caller_at_{-1};  ///< its processor
  std::atomic<bool> dismissed_{false};
  // Of the call at hand: written before a worker is let go to work.
  Task task_;
  int size_ = 1;
  std::fenv_t environment_{};
};

/// The task that brings a worker. For the thread sanitizer, which sees neither how oneTBB hands it
/// over nor how its memory is used again, it has no destructor.
class Team::Invitation {
 public:
  explicit Invitation(Crew* crew) { hold(crew); }
  Invitation(const Invitation& other) { hold(other.crew_); }
  void operator()() const {
    threads::take_over(this);
    Crew* const crew = crew_;
    threads::hand_over(this);
    crew->serve();
    crew->leave();
  }

 private:
  void hold(Crew* crew) {
    threads::take_over(this);
    crew_ = crew;
    threads::hand_over(this);
  }
  Crew* crew_;
};

struct Team::Arena {
  explicit Arena(int threads) : arena(threads) {
    // oneTBB gives no more threads than there are processors that the thread which used it first
    // was bound to, unless told to. The smallest of all controls counts, so none is made where it
    // is not needed.
    if (threads > oneapi::tbb::info::default_concurrency()) {
      more.emplace(oneapi::tbb::global_control::max_allowed_parallelism,
                   static_cast<std::size_t>(threads));
    }
  }
  std::optional<oneapi::tbb::global_control> more;
  oneapi::tbb::task_arena arena;
};

Team::Team(const Exec& exec) : wanted_(exec.threads) {
  if (wanted_ == 1) return;
  crew_.reset(new Crew(exec));
  arena_ = std::make_unique<Arena>(wanted_);
  // Threads start here, with what oneTBB allocates for them, and not in the first call.
  const auto deadline = Clock::now() + std::chrono::milliseconds(200);
  invite();
  while (crew_->on_their_way() > 0 && Clock::now() < deadline) std::this_thread::yield();
}

Team::~Team() = default;

void Team::Dismiss::operator()(Crew* crew) const {
  crew->dismiss();
}

/// Asks oneTBB for the threads that are missing. Those that it cannot give are done without.
void Team::invite() {
  for (int k = crew_->missing(); k > 0 && more_to_come_; --k) {
    crew_->expect_one();
    try {
      arena_->arena.enqueue(Invitation(crew_.get()));
    } catch (const std::exception&) {
      // Out of memory, or of threads. Whether the task is queued nevertheless is not known: it
      // stays expected, and no more are sent.
      more_to_come_ = false;
    }
  }
}

void Team::run_task(const Task& task) {
  if (wanted_ == 1) return task.call(task.body, Member(0, 1, nullptr));
  const bool in_vain = !gather();
  const int size = crew_->work(task);
  // A thread that has come too late is there for the next call, which need not be impatient.
  if (!in_vain || crew_->waiting() >= size) {
    impatient_calls_ = 0;
  } else {
    impatient_calls_ = impatient_calls_ == 0 ? calls_of_short_patience : impatient_calls_ - 1;
  }
}

/// Waits until all workers are there; false if some have not come in time.
bool Team::gather() {
  const int workers = wanted_ - 1;
  if (crew_->waiting() == workers) return true;
  const auto deadline = Clock::now() + (impatient_calls_ > 0 ? short_patience : long_patience);
  invite();
  for (int turn = 0; crew_->waiting() < workers; ++turn) {
    hwy::Pause();
    if (turn % 64 != 63) continue;
    if (Clock::now() > deadline) return false;
    // One that was there may have left.
    invite();
    // The system wakes threads on the processor of whoever wakes them: the missing one may be
    // waiting for this one to make way.
    std::this_thread::yield();
  }
  return true;
}

}  // namespace bptt::fused
