#include "impls/threads/openmp.hpp"

#include <cfenv>

#include <omp.h>

#include "impls/threads/affinity.hpp"
#include "impls/threads/denormals.hpp"

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

void tell_team(const Told& now) {
  // glibc's environment holds MXCSR (x86-64) or FPCR (AArch64), and with it what denormal_mode()
  // looks at.
  std::fenv_t environment;
  std::fegetenv(&environment);
#pragma omp parallel num_threads(now.threads)
  {
    const int k = omp_get_thread_num();
    if (k > 0) {
      std::fesetenv(&environment);
      // A new thread inherits where its maker is bound.
      if (now.bind) {
        bind_this_thread(k);
      } else {
        unbind_this_thread();
      }
    }
  }
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
#pragma omp parallel num_threads(count_)
  body(what, omp_get_thread_num());
}

int max_openmp_threads() {
  return omp_get_thread_limit();
}

}  // namespace bptt::threads
