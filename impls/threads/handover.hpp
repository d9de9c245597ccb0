// Tells the thread sanitizer that work is handed from one thread to another, where the library that
// hands it over (oneTBB, OpenMP) is not built with it. Nothing in any other build.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace bptt::threads {

/// What this thread did before is visible to whoever takes `token` over.
inline void hand_over([[maybe_unused]] void* token) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(token);
#endif
}

inline void take_over([[maybe_unused]] void* token) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(token);
#endif
}

}  // namespace bptt::threads
