// bptt-verify: checks the gradients of every backend.
#include <iostream>

#include "impls/linalg/blas_kernels.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/threads/denormals.hpp"
#include "verify/program.hpp"

int main(int argc, char** argv) {
  bptt::threads::keep_denormals();
  bptt::linalg::use_best_blas_kernels(argv);
  return bptt::program::run("bptt-verify",
                            [&] { return bptt::verify::run_program(argc, argv, std::cout); });
}
