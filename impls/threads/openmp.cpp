#include "impls/threads/openmp.hpp"

#include <cfenv>

#include <omp.h>

#include "impls/threads/affinity.hpp"
#include "impls/threads/denormals.hpp"
#include "impls/threads/handover.hpp"

namespace bptt::threads {
namespace {

/// What the team of the calling thread was told last. A team belongs to the thread that starts it.
struct Told {
  int threads = 1;
  bool bind = false;
  unsigned denormals = 0;
  bool operator==(const Told&) const = default;
};
thread_local Told told;

/// Runs body on each thread of a team. The thread sanitizer is told of the fork and the join:
/// OpenMP is not built with it. What it is told by is static: a thread finds it without reading
/// what has not been handed over yet.
template <class Body>
void on_team(int threads, const Body& body) {
  static char forked = 0, joined = 0;
  hand_over(&forked);
#pragma omp parallel num_threads(threads)
  {
    take_over(&forked);
    body(omp_get_thread_num());
    hand_over(&joined);
  }
  take_over(&joined);
}

void tell_team(const Told& now) {
  // glibc's environment holds MXCSR (x86-64) or FPCR (AArch64), and with it what denormal_mode()
  // looks at.
  std::fenv_t environment;
  std::fegetenv(&environment);
  on_team(now.threads, [&](int k) {
    if (k == 0) return;
    std::fesetenv(&environment);
    // A new thread inherits where its maker is bound.
    if (now.bind) {
      bind_this_thread(k);
    } else {
      unbind_this_thread();
    }
  });
  told = now;
}

}  // namespace

OpenMpThreads::OpenMpThreads(int threads, bool bind)
    : count_(threads), count_before_(omp_get_max_threads()), dynamic_before_(omp_get_dynamic()) {
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
  const Told now{threads, bind, denormal_mode()};
  if (threads > 1 && !(told == now)) tell_team(now);
}

OpenMpThreads::~OpenMpThreads() {
  omp_set_num_threads(count_before_);
  omp_set_dynamic(dynamic_before_);
}

void OpenMpThreads::run(void (*body)(const void*, int), const void* what) const {
  on_team(count_, [&](int k) { body(what, k); });
}

int max_openmp_threads() {
  return omp_get_thread_limit();
}

}  // namespace bptt::threads
