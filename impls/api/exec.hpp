// How a plan is to run: threads, and what it may trade for memory or for reproducibility.
#pragma once

namespace bptt {

/// What forward keeps for backward.
enum class Recompute {
  none,  ///< everything backward needs
};

struct Exec {
  /// Exactly as many as asked for, the caller's included. (More than the machine has processors: as
  /// many as oneTBB grants while another plan with more threads than processors is alive.)
  int threads = 1;
  Recompute recompute = Recompute::none;
  bool same_for_all_threads = false;  ///< bitwise equal results for every value of `threads`
  /// Thread k of a plan is bound to the k-th processor the process may use. The caller is thread 0
  /// and binds itself (impls/threads/affinity.hpp). For measuring.
  bool bind_threads = false;
};

}  // namespace bptt
