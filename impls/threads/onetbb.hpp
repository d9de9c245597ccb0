// How many threads oneTBB may have. For backends that link it.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>

#include "impls/threads/affinity.hpp"

namespace bptt::threads {

/// Lets oneTBB have as many threads as the process has processors, and at least `threads`, from now
/// on. By itself it takes only those processors that the thread which used it first was bound to.
/// The limit never goes down: while a control comes or goes, version 2021.8 may keep threads from
/// arenas for good that are given work at that moment.
inline void allow_onetbb(int threads) {
  using Control = oneapi::tbb::global_control;
  static std::mutex mutex;
  static std::size_t allowed = 0;
  // Never destroyed: oneTBB's own end may come first.
  static auto& control = *new std::unique_ptr<Control>;
  const std::lock_guard lock(mutex);
  const auto wanted = std::max(static_cast<std::size_t>(threads), processors().size());
  if (wanted <= allowed) return;
  // The smallest of all controls counts.
  control.reset();
  control = std::make_unique<Control>(Control::max_allowed_parallelism, wanted);
  allowed = wanted;
}

}  // namespace bptt::threads
