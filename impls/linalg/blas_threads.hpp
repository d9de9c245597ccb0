// How many threads OpenBLAS may use, for the length of a scope.
#pragma once

#include <optional>
#include <string>

namespace bptt::linalg {

/// OpenBLAS has one thread count for the whole process: two scopes that ask for different counts
/// must not be open at once. Setting the count that is already set costs nothing.
class BlasThreads {
 public:
  explicit BlasThreads(int threads);
  ~BlasThreads();
  BlasThreads(const BlasThreads&) = delete;
  BlasThreads& operator=(const BlasThreads&) = delete;

 private:
  int before_;
};

/// Binds thread k of OpenBLAS's pool to the k-th processor; the caller counts as thread 0. Those
/// that OpenBLAS starts later, for more threads than there are processors, stay as they are.
void bind_blas_threads();

/// The largest count OpenBLAS was built for.
int max_blas_threads();
/// Why a plan cannot have so many threads: OpenBLAS was built for fewer.
std::optional<std::string> refuse_blas_threads(int threads);

}  // namespace bptt::linalg
