// bptt-bench: times recurrent layers on every backend.
#include <iostream>

#include "bench/program.hpp"
#include "impls/linalg/blas_kernels.hpp"
#include "impls/program/exit_code.hpp"

int main(int argc, char** argv) {
  bptt::linalg::use_best_blas_kernels(argv);
  return bptt::program::run("bptt-bench", [&] {
    return bptt::bench::run_program(argc, argv, bptt::bench::verifier_at_shape(), std::cout,
                                    std::cerr);
  });
}
