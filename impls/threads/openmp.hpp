// How many threads OpenMP gives a library that stands on it, for the length of a scope, and where
// they run. A library's thread pool is not ours: it has to be told, on the thread that calls it.
#pragma once

#include <memory>

namespace bptt::threads {

/// Parallel regions that the calling thread starts have exactly `threads` threads, itself included.
/// With `bind`, thread k runs on the k-th of processors() (affinity.hpp); the caller stays where it
/// is. The others take over the caller's floating-point environment: whether denormals are flushed
/// is a matter of each thread, and must be the same for all. The count that was set before comes
/// back with the end of the scope.
///
/// Telling the team costs one empty parallel region, and only where it was told otherwise before.
/// After a region, libgomp's threads wait for the next one actively for some milliseconds (its
/// default, and the fastest for regions that follow one another), then sleep.
class OpenMpThreads {
 public:
  OpenMpThreads(int threads, bool bind);
  ~OpenMpThreads();
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

  int count() const { return count_; }

  /// body(k) on every thread k of the team at once, the caller being 0. It may not throw.
  template <class Body>
  void run(const Body& body) const {
    run([](const void* what, int k) { (*static_cast<const Body*>(what))(k); },
        std::addressof(body));
  }

 private:
  void run(void (*body)(const void*, int), const void* what) const;

  int count_;
  int count_before_;
  int dynamic_before_;
};

/// The largest count OpenMP will grant (OMP_THREAD_LIMIT).
int max_openmp_threads();

}  // namespace bptt::threads
