#include "bench/doctor/facts.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <boost/version.hpp>
#include <hwy/highway.h>

#include "bench/limits/team.hpp"
#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/linalg/gemm.hpp"
#include "impls/program/command_line.hpp"
#include "impls/threads/denormals.hpp"

namespace bptt::bench {
namespace {

std::string version_of(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

/// OpenBLAS's threads cannot be asked, but what they compute tells: the identity times denormals.
bool blas_loses_denormals(int threads) {
  constexpr Index n = 256;
  Tensor<float> identity({n, n}), tiny({n, n}), product({n, n});
  for (Index i = 0; i < n; ++i) identity.view()[i * n + i] = 1;
  for (Index i = 0; i < n * n; ++i) tiny.view()[i] = 1e-40F;
  const linalg::BlasThreads scope(threads);
  using linalg::Matrix;
  linalg::gemm<float>(linalg::Op::none, Matrix<const float>(identity.view().data(), n, n),
                      linalg::Op::none, Matrix<const float>(tiny.view().data(), n, n), 0.0F,
                      Matrix<float>(product.view().data(), n, n));
  const float* first = product.view().data();
  return std::any_of(first, first + n * n, [](float value) { return value == 0; });
}

}  // namespace

Facts inspect() {
  Facts facts;
  facts.system = inspect_system();
  facts.blas = linalg::blas_kernels();
  facts.compiler = program::compiler_text();
  facts.compile_flags = program::compile_flags();
  facts.build_type = program::build_type();
  facts.variables = relevant_variables();
  // Google Benchmark's headers do not tell its version; the build does.
  facts.libraries = {{"openblas", facts.blas.library},
                     {"highway", version_of(HWY_MAJOR, HWY_MINOR, HWY_PATCH)},
                     {"benchmark", BPTT_BENCHMARK_VERSION},
                     {"boost", version_of(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                                          BOOST_VERSION % 100)}};
  for (const Backend* backend : backends()) {
    facts.backends.emplace_back(backend->name(), backend->version());
  }
  for (const LeftOutBackend& one : left_out_backends()) {
    facts.missing.push_back({std::string(one.name), std::string(one.reason)});
  }
  std::atomic<int> flushing = 0;
  facts.threads_checked = facts.system.usable_processors;
  run_team(facts.threads_checked, false,
           [&](int) { flushing += threads::denormals_flushed() ? 1 : 0; });
  facts.threads_flushing = flushing;
  facts.blas_flushes =
      blas_loses_denormals(std::min(facts.threads_checked, linalg::max_blas_threads()));
  return facts;
}

}  // namespace bptt::bench
