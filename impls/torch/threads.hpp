// The threads of a call of PyTorch, told as its user would for what it runs (docs/peers.md,
// "Settings").
#pragma once

#include "impls/api/exec.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/threads/openmp.hpp"
#include "impls/torch/layers.hpp"

namespace bptt::torch {

/// For the length of a scope, on the calling thread. PyTorch's own loop has its threads in
/// OpenBLAS's products, all else on the caller; oneDNN has them in OpenMP's regions.
///
/// at::set_num_threads is what a user calls once. It would also make anew, each time that the
/// number changes, a pool of threads that nothing here uses, so OpenMP is told directly.
class Threads {
 public:
  Threads(Path path, const Exec& exec)
      : blas_(exec.threads), openmp_(of_openmp(path, exec), exec.bind_threads) {}

  /// Those of OpenBLAS; OpenMP's are bound as they are told.
  static void bind() { linalg::bind_blas_threads(); }

 private:
  static int of_openmp(Path path, const Exec& exec);

  linalg::BlasThreads blas_;
  threads::OpenMpThreads openmp_;
};

}  // namespace bptt::torch
