// What the machine does at best: the yardstick that results are compared with.
#pragma once

#include "impls/api/scalar.hpp"

namespace bptt::bench {

/// GFLOP/s of a large square GEMM of OpenBLAS, the pool's threads bound like everybody's: the
/// fastest of a few calls.
double measure_gemm_peak(Dtype, int threads);

}  // namespace bptt::bench
