#include "bench/gemm_peak.hpp"

#include <algorithm>
#include <limits>

#include "bench/engine.hpp"
#include "impls/api/tensor.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/linalg/gemm.hpp"

namespace bptt::bench {
namespace {

template <Real T>
double measure(int threads) {
  using linalg::Matrix;
  using linalg::Op;
  // Large enough that packing and the ends of blocks do not show, small enough to last 20-80 ms.
  constexpr Index n = sizeof(T) == 4 ? 1536 : 1024;
  constexpr int calls = 2;
  Tensor<T> a({n, n}), b({n, n}), c({n, n});
  // Numbers of ordinary size: denormals or zeros could be faster or slower than real data.
  for (Index i = 0; i < n * n; ++i) {
    a.view()[i] = static_cast<T>(1 + i % 7);
    b.view()[i] = static_cast<T>(1 - i % 5);
  }
  const linalg::BlasThreads scope(threads);
  const auto multiply = [&] {
    linalg::gemm<T>(Op::none, Matrix<const T>(a.view().data(), n, n), Op::none,
                    Matrix<const T>(b.view().data(), n, n), T(0), Matrix<T>(c.view().data(), n, n));
  };
  double fastest = std::numeric_limits<double>::infinity();
  for (int call = 0; call < calls; ++call) {
    fastest = std::min(fastest, time_calls("gemm", 1, multiply));
  }
  constexpr double extent = n;
  return 2 * extent * extent * extent / fastest / 1e9;
}

}  // namespace

double measure_gemm_peak(Dtype dtype, int threads) {
  return dispatch(dtype, [&]<class T>(std::type_identity<T>) { return measure<T>(threads); });
}

}  // namespace bptt::bench
