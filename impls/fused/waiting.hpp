// How the threads of a plan wait for each other.
#pragma once

#include <atomic>

#include <hwy/cache_control.h>

#include "impls/api/exec.hpp"
#include "impls/threads/affinity.hpp"

namespace bptt::fused {

/// How often to look before going to sleep: hardly ever where there are more threads than
/// processors, since the one waited for may need this one.
inline int turns_before_sleep(const Exec& exec) {
  return threads::more_than_processors(exec.threads + exec.threads_beside) ? 100 : 20000;
}

/// Waits until a value is no longer what it was: spinning for a while, since a step of a small case
/// takes microseconds; then asleep, so that others have the processor, who may be the ones waited
/// for. Whoever changes it must notify.
template <class V>
void wait_while(const std::atomic<V>& value, V was, int turns) {
  for (int turn = 0; turn < turns; ++turn) {
    if (value.load(std::memory_order_acquire) != was) return;
    hwy::Pause();
  }
  value.wait(was, std::memory_order_acquire);
}

}  // namespace bptt::fused
