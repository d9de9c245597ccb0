#include "bench/gemm_peak.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "bench/engine.hpp"
#include "impls/api/tensor.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/linalg/gemm.hpp"
#include "impls/program/interrupt.hpp"

namespace bptt::bench {
namespace {

/// FLOP/s of c = a b^T, the fastest of `calls`, each repeated `times` without a pause.
template <Real T>
double measure(const GemmAtShape& g, int calls, Index times) {
  using linalg::Matrix;
  using linalg::Op;
  Tensor<T> a({g.m, g.k}), b({g.n, g.k}), c({g.m, g.n});
  // Numbers of ordinary size: denormals or zeros could be faster or slower than real data.
  for (Index i = 0; i < g.m * g.k; ++i) a.view()[i] = static_cast<T>(1 + i % 7);
  for (Index i = 0; i < g.n * g.k; ++i) b.view()[i] = static_cast<T>(1 - i % 5);
  const linalg::BlasThreads scope(g.threads);
  const auto multiply = [&] {
    linalg::gemm<T>(Op::none, Matrix<const T>(a.view().data(), g.m, g.k), Op::transpose,
                    Matrix<const T>(b.view().data(), g.n, g.k), T(0),
                    Matrix<T>(c.view().data(), g.m, g.n));
  };
  double fastest = std::numeric_limits<double>::infinity();
  for (int call = 0; call < calls; ++call) {
    fastest = std::min(fastest, time_calls("gemm", times, multiply));
  }
  return 2 * static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k) /
         fastest;
}

double measured(const GemmAtShape& g, int calls, Index times) {
  return dispatch(
      g.dtype, [&]<class T>(std::type_identity<T>) { return measure<T>(g, calls, times) / 1e9; });
}

}  // namespace

double measure_gemm_peak(Dtype dtype, int threads, int calls) {
  // Large enough that packing and the ends of blocks do not show, small enough to last 20-80 ms.
  const Index n = dtype == Dtype::f32 ? 1536 : 1024;
  return measured({dtype, threads, n, n, n, 0}, calls, 1);
}

std::vector<GemmAtShape> gemms_of(const std::vector<Case>& cases) {
  std::vector<GemmAtShape> gemms;
  for (const Case& c : cases) {
    const Shape& s = c.spec.shape;
    const Index rows = s.T * s.B, gate_rows = c.spec.cell.gates() * s.H;
    for (const auto& [m, n, k] : {std::array{rows, gate_rows, s.I}, std::array{s.B, gate_rows, s.H},
                                  std::array{gate_rows, s.H, rows}}) {
      const GemmAtShape g{c.dtype, c.exec.threads, m, n, k, 0};
      if (std::find(gemms.begin(), gemms.end(), g) == gemms.end()) gemms.push_back(g);
    }
  }
  return gemms;
}

void measure_gemms(std::vector<GemmAtShape>& gemms,
                   const std::map<std::pair<Dtype, int>, double>& peak) {
  constexpr double most_seconds = 0.2, wanted_seconds = 3e-3;
  for (GemmAtShape& g : gemms) {
    const auto found = peak.find({g.dtype, g.threads});
    if (found == peak.end() || program::interrupted()) continue;
    const double flops =
        2 * static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
    const double seconds = flops / found->second;
    if (seconds > most_seconds) continue;
    const auto times = static_cast<Index>(std::clamp(wanted_seconds / seconds, 1.0, 1e5));
    constexpr int calls = 3;
    g.gflops = measured(g, calls, times);
  }
  std::erase_if(gemms, [](const GemmAtShape& g) { return g.gflops == 0; });
}

}  // namespace bptt::bench
