// Which of its kernels OpenBLAS runs on this CPU, and whether they are the right ones.
//
// OpenBLAS reads the CPU's model number when the library loads and picks a core type from a list of
// models. A model newer than the list falls back to AVX2 kernels ("Haswell", "Zen"), even on a core
// with AVX-512: a factor of up to 1.8 in sgemm. The environment variable OPENBLAS_CORETYPE
// overrides the choice, but only before the library loads, so a program has to start itself anew
// with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bptt::linalg {

struct BlasKernels {
  std::string library;  ///< "OpenBLAS 0.3.21"
  std::string config;   ///< as OpenBLAS describes its own build
  std::string live;     ///< core type whose kernels run: "SkylakeX"
  std::string
      how;  ///< who chose it: "OpenBLAS", "bptt (OpenBLAS had chosen Haswell)", "OPENBLAS_CORETYPE"
  std::string better;  ///< core type that would suit this CPU better; empty where `live` is right
};
BlasKernels blas_kernels();

/// What this CPU could run, as far as the choice needs to know.
struct CpuFeatures {
  bool avx512 = false;  ///< F, BW, CD, DQ and VL: what the SkylakeX kernels need
  bool avx2 = false;    ///< with FMA: what the Haswell kernels need
};
CpuFeatures cpu_features();

/// The core type to ask for where `live` does not use what the CPU has; nothing where it does.
std::optional<std::string_view> better_core_type(std::string_view live, const CpuFeatures&);

/// Call first in main(): where better kernels are to be had and the user has not set
/// OPENBLAS_CORETYPE, or BPTT_BLAS_OVERRIDE=off, starts the program anew (same process, same
/// arguments) with the right ones.
/// Returns otherwise, and where starting anew fails.
void use_best_blas_kernels(char** argv);

}  // namespace bptt::linalg
