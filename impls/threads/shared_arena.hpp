// Arenas that the plans of a process take turns with. For backends that link oneTBB.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "impls/threads/arena.hpp"
#include "impls/threads/idle_pool.hpp"

namespace bptt::threads {

/// A plan's threads: those of the arena that the last call was in, of any plan with the same
/// ArenaThreads, if no other caller has it now. oneTBB's threads stay in an arena for a while when
/// its work is done, and to come to another one takes them some 40 us, several times as long as a
/// small layer does. The layers of a stack, which are plans that are called one after another,
/// would pay that in each call if each had an arena of its own.
///
/// There are as many arenas as plans: callers at the same time have one each, not always the same,
/// and no call waits for an arena, or makes one.
class SharedArena {
 public:
  explicit SharedArena(const ArenaThreads& threads) : pool_(pool(threads)) {
    pool_.add(std::make_unique<Arena>(threads));
  }
  ~SharedArena() { pool_.remove(); }
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  /// For a call: one at a time.
  IdlePool<Arena>::Lease lease() { return IdlePool<Arena>::Lease(pool_); }

 private:
  /// Never destroyed: plans may live as long as the process, and oneTBB's own end may come first.
  static IdlePool<Arena>& pool(const ArenaThreads& threads) {
    static std::mutex mutex;
    static auto& pools = *new std::map<ArenaThreads, IdlePool<Arena>>;
    const std::lock_guard lock(mutex);
    return pools[threads];
  }

  IdlePool<Arena>& pool_;
};

}  // namespace bptt::threads
