// How a plan is to run: threads, and what it may trade for memory or for reproducibility.
#pragma once

#include <string_view>

namespace bptt {

/// What forward keeps for backward; the rest is computed a second time. Sizes: docs/memory.md.
enum class Recompute {
  none,        ///< everything backward needs
  gates,       ///< h and c of every step; backward rebuilds the gates
  checkpoint,  ///< h and c of every sqrt(T)-th step; backward runs each stretch forward again
};
std::string_view name_of(Recompute);
/// Throws Error(usage) that lists what would have been understood.
Recompute parse_recompute(std::string_view);

struct Exec {
  /// How many compute, the caller's included; no backend takes more. On oneTBB's threads (`tbb`,
  /// `fused`) there may be fewer in a call while others hold them: calls of other plans at the same
  /// time, or of the program around. Results do not depend on it.
  int threads = 1;
  Recompute recompute = Recompute::none;
  bool same_for_all_threads = false;  ///< bitwise equal results for every value of `threads`
  /// Thread k of a plan is bound to the processor first_thread + k of those the process may use.
  /// The caller is thread 0 and binds itself (impls/threads/affinity.hpp). For measuring.
  bool bind_threads = false;
  /// Of a plan that is called at the same time as others (impls/api/side_by_side.hpp), which only
  /// backends on oneTBB's threads are: the number of its first thread among those of all, and how
  /// many the others have.
  int first_thread = 0;
  int threads_beside = 0;
};

}  // namespace bptt
