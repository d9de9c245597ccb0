#include "impls/torch/threads.hpp"

#include <ATen/Parallel.h>

namespace bptt::torch {

int Threads::of_openmp(Path path, const Exec& exec) {
  // When a thread first asks, PyTorch sets a number of its own for it: not after ours is set.
  at::get_num_threads();
  return path == Path::onednn ? exec.threads : 1;
}

}  // namespace bptt::torch
