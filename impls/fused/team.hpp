// The threads of a plan. One oneTBB task per thread and call, which meet at barriers in between: a
// fork for each phase would cost more than the phases of a small case.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

#include "impls/api/exec.hpp"
#include "impls/fused/layout.hpp"
#include "impls/threads/shared_arena.hpp"

namespace bptt::fused {

/// A flag for each member, so that what one has to tell reaches another in one transfer between
/// their caches; a shared counter takes two.
class Barrier {
 public:
  /// `turns`: how often to look before going to sleep.
  Barrier(int members, int turns) : flags_(static_cast<std::size_t>(members)), turns_(turns) {}
  /// Before members set out.
  void reset() {
    for (Flag& flag : flags_) flag.round.store(0, std::memory_order_relaxed);
  }
  /// Everybody's writes before are visible to everybody after.
  void wait(int rank, int size);

 private:
  struct alignas(128) Flag {  // two lines: they are fetched in pairs
    std::atomic<int> round{0};
  };
  std::vector<Flag> flags_;
  int turns_;
};

/// One of the threads at work on a call.
class Member {
 public:
  Member(int rank, int size, Barrier* barrier) : Member(rank, size, barrier, rank) {}
  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Its rank among all, also where it works alone or with some of them.
  int place() const { return place_; }
  /// This member's share of n things.
  Range share(Index n) const { return share_of(n, rank_, size_); }
  /// Waits for all members.
  void meet() const {
    if (size_ > 1) barrier_->wait(rank_, size_);
  }
  /// Works alone on what members do side by side.
  Member alone() const { return {0, 1, nullptr, place_}; }
  /// Of all but the first member, who must not meet.
  Member of_the_others() const { return {rank_ - 1, size_ - 1, nullptr, place_}; }

 private:
  Member(int rank, int size, Barrier* barrier, int place)
      : rank_(rank), size_(size), place_(place), barrier_(barrier) {}

  int rank_, size_, place_;
  Barrier* barrier_;
};

/// oneTBB does not promise that all threads come, or soon: other plans may hold them. Those that
/// have come by a deadline make up the members of a call; nothing that is computed may depend on
/// how many they are. It is a short one after a call that waited in vain: for one that had not come
/// even when the call was over.
class Team {
 public:
  explicit Team(const Exec&);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Runs body(Member) on every member and returns when all have done. Allocates nothing. The body
  /// must not throw: the others would wait for it at the next barrier. (The program ends if it
  /// does.)
  template <class Body>
  void run(const Body& body) {
    run_task({&body,
              [](const void* b, const Member& m) noexcept { (*static_cast<const Body*>(b))(m); }});
  }

 private:
  struct Task {
    const void* body;
    void (*call)(const void*, const Member&) noexcept;
  };
  void run_task(const Task&);
  void join(const Task&) noexcept;

  int wanted_;
  bool bound_;
  int turns_;                                  ///< of spinning before sleeping
  std::optional<threads::SharedArena> arena_;  ///< none for one thread
  Barrier barrier_;
  std::atomic<int> arrived_{0};                      ///< plus `closed`
  std::atomic<int> size_{0};                         ///< 0 while it is open
  std::vector<std::atomic<bool>> came_;              ///< by place in the arena
  std::atomic<bool> late_{false};                    ///< a thread has come after it was closed
  int caller_at_ = -1;                               ///< its processor
  std::chrono::steady_clock::duration last_call_{};  ///< how long it took
  int impatient_calls_ = 0;  ///< this many more calls wait for a short time only
};

}  // namespace bptt::fused
