// The threads of a plan. All work on a call from its beginning to its end and meet at barriers in
// between: a fork for each phase would cost more than the phases of a small case.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "impls/api/exec.hpp"
#include "impls/fused/layout.hpp"

namespace bptt::fused {

/// A flag for each member, so that what one has to tell reaches another in one transfer between
/// their caches; a shared counter takes two.
class Barrier {
 public:
  /// `crowded`: members share processors, and should not keep them from each other while waiting.
  Barrier(int members, const std::atomic<bool>& crowded)
      : flags_(static_cast<std::size_t>(members)), crowded_(crowded) {}
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
  const std::atomic<bool>& crowded_;
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

/// The members of each call are its caller and those of oneTBB's threads that are there by a short
/// deadline, shorter where nobody came to the last calls: oneTBB does not promise that all come, or
/// soon. Nothing that is computed may depend on how many they are. Between two calls threads stay
/// for a moment, since fetching them takes longer than a phase of a small case (team.cpp).
class Team {
 public:
  explicit Team(const Exec&);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Runs body(Member) on every member and returns when all have done. Allocates nothing itself;
  /// oneTBB may where it is asked for a thread that did not stay. The body
  /// must not throw: the others would wait for it at the next barrier. (The program ends if it
  /// does.)
  template <class Body>
  void run(const Body& body) {
    run_task({&body,
              [](const void* b, const Member& m) noexcept { (*static_cast<const Body*>(b))(m); }});
  }

  struct Task {
    const void* body = nullptr;
    void (*call)(const void*, const Member&) noexcept = nullptr;
  };

 private:
  class Crew;
  class Invitation;
  struct Arena;
  void run_task(const Task&);
  bool gather();
  void invite();

  int wanted_;
  struct Dismiss {
    void operator()(Crew*) const;
  };
  std::unique_ptr<Crew, Dismiss> crew_;  ///< null for one thread
  std::unique_ptr<Arena> arena_;
  bool more_to_come_ = true;  ///< oneTBB can be asked for threads
  int impatient_calls_ = 0;   ///< this many more calls wait for a short time only
};

}  // namespace bptt::fused
