#include "impls/linalg/blas_kernels.hpp"

#include <cstdlib>

#include <cblas.h>
#include <unistd.h>

namespace bptt::linalg {
namespace {

constexpr const char* override_variable = "OPENBLAS_CORETYPE";
/// Set beside the override when it is ours: holds the core type that OpenBLAS had chosen.
constexpr const char* detected_variable = "BPTT_BLAS_DETECTED";
/// "off": the user wants OpenBLAS's own choice, to see what it costs.
constexpr const char* switch_variable = "BPTT_BLAS_OVERRIDE";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

CpuFeatures cpu_features() {
  CpuFeatures features;
#if defined(__x86_64__)
  features.avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512cd") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0;
  features.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#endif
  return features;
}

std::optional<std::string_view> better_core_type(std::string_view live, const CpuFeatures& cpu) {
  constexpr std::string_view with_avx512[] = {"SkylakeX", "Cooperlake", "Sapphirerapids",
                                              "SapphireRapids"};
  constexpr std::string_view with_avx2[] = {"Haswell", "Zen", "Excavator"};
  for (const auto type : with_avx512) {
    if (live == type) return std::nullopt;
  }
  if (cpu.avx512) return "SkylakeX";
  for (const auto type : with_avx2) {
    if (live == type) return std::nullopt;
  }
  if (cpu.avx2) return "Haswell";
  return std::nullopt;
}

BlasKernels blas_kernels() {
  BlasKernels kernels;
  kernels.config = openblas_get_config();
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  const auto version_end = kernels.config.find(' ', kernels.config.find(' ') + 1);
  kernels.library = kernels.config.substr(0, version_end);
  kernels.live = openblas_get_corename();
  const std::string detected = environment(detected_variable);
  if (!detected.empty()) {
    kernels.how = "bptt (OpenBLAS had chosen " + detected + ")";
  } else if (!environment(override_variable).empty()) {
    kernels.how = override_variable;
  } else {
    kernels.how = "OpenBLAS";
  }
  kernels.better = better_core_type(kernels.live, cpu_features()).value_or("");
  return kernels;
}

void use_best_blas_kernels(char** argv) {
  if (!environment(override_variable).empty() || environment(switch_variable) == "off") return;
  const std::string live = openblas_get_corename();
  const auto better = better_core_type(live, cpu_features());
  if (!better) return;
  setenv(override_variable, std::string(*better).c_str(), 1);
  setenv(detected_variable, live.c_str(), 1);
  execv("/proc/self/exe", argv);
  // Still here: no /proc, or the like. The programs report which kernels are live in any case.
  unsetenv(override_variable);
  unsetenv(detected_variable);
}

}  // namespace bptt::linalg
