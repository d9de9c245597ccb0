// Arenas that the plans of a process take turns with. For backends that link oneTBB.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "impls/threads/arena.hpp"
#include "impls/threads/idle_pool.hpp"

namespace bptt::threads {

/// A plan's threads: those of the arena that the last call was in, of any plan with as many threads
/// that are bound or not as its are, if no other caller has it now. oneTBB's threads stay in an
/// arena for a while when its work is done, and to come to another one takes them some 40 us,
/// several times as long as a small layer does. The layers of a stack, which are plans that are
/// called one after another, would pay that in each call if each had an arena of its own.
///
/// There are as many arenas as plans: callers at the same time have one each, not always the same,
/// and no call waits for an arena, or makes one.
class SharedArena {
 public:
  SharedArena(int threads, bool bind) : pool_(pool(threads, bind)) {
    pool_.add(std::make_unique<Arena>(threads, bind));
  }
  ~SharedArena() { pool_.remove(); }
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  /// For a call: one at a time.
  IdlePool<Arena>::Lease lease() { return IdlePool<Arena>::Lease(pool_); }

 private:
  /// Never destroyed: plans may live as long as the process, and oneTBB's own end may come first.
  static IdlePool<Arena>& pool(int threads, bool bind) {
    static std::mutex mutex;
    static auto& pools = *new std::map<std::pair<int, bool>, IdlePool<Arena>>;
    const std::lock_guard lock(mutex);
    return pools[{threads, bind}];
  }

  IdlePool<Arena>& pool_;
};

}  // namespace bptt::threads
