// How many threads OpenBLAS may use, for the length of a scope.
#pragma once

#include <optional>
#include <string>

namespace bptt::linalg {

/// OpenBLAS has one thread count for the whole process: that of the scope that was opened last, of
/// those that are still open, or what it was before them. Scopes of plans that run side by side may
/// end in any order; they must ask for the same count. Setting the count that is already set costs
/// nothing.
class BlasThreads {
 public:
  explicit BlasThreads(int threads);
  ~BlasThreads();
  BlasThreads(const BlasThreads&) = delete;
  BlasThreads& operator=(const BlasThreads&) = delete;

 private:
  int threads_;
  BlasThreads* below_;  ///< opened before this one; null: none
};

/// Binds thread k of OpenBLAS's pool to the k-th processor; the caller counts as thread 0. Those
/// that OpenBLAS starts later, for more threads than there are processors, stay as they are.
void bind_blas_threads();

/// The largest count OpenBLAS was built for.
int max_blas_threads();
/// Why a plan cannot have so many threads: OpenBLAS was built for fewer.
std::optional<std::string> refuse_blas_threads(int threads);

}  // namespace bptt::linalg
