// Fetching a line that is about to be written.
#pragma once

namespace bptt::linalg {

/// As __builtin_prefetch(at, 1), which compilers make a prefetch for reading where the instruction
/// set they compile for need not have one for writing. A line that another processor has would then
/// have to be asked for twice. Where x86-64 processors do not have the instruction, it does
/// nothing.
inline void prefetch_to_write(const void* at) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace bptt::linalg
