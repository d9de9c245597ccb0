#include "impls/threads/denormals.hpp"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace bptt::threads {

#if defined(__SSE2__)
namespace {
constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
constexpr unsigned flushing = flush_to_zero | denormals_are_zero;
}  // namespace
unsigned denormal_mode() {
  return _mm_getcsr() & flushing;
}
void keep_denormals() {
  _mm_setcsr(_mm_getcsr() & ~flushing);
}
#elif defined(__aarch64__)
namespace {
constexpr unsigned flushing = 1U << 24;  // FPCR.FZ
}  // namespace
unsigned denormal_mode() {
  return static_cast<unsigned>(__builtin_aarch64_get_fpcr()) & flushing;
}
void keep_denormals() {
  __builtin_aarch64_set_fpcr(__builtin_aarch64_get_fpcr() & ~flushing);
}
#else
unsigned denormal_mode() {
  return 0;
}
void keep_denormals() {}
#endif

}  // namespace bptt::threads
