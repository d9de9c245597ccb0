// What OpenBLAS does at best: the yardstick that results are compared with.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "bench/grid.hpp"

namespace bptt::bench {

/// GFLOP/s of a large square GEMM of OpenBLAS, the pool's threads bound like everybody's: the
/// fastest of `calls`.
double measure_gemm_peak(Dtype, int threads, int calls = 2);

/// c [m,n] = a [m,k] b [k,n]
struct GemmAtShape {
  Dtype dtype = Dtype::f32;
  int threads = 1;
  Index m = 0, n = 0, k = 0;
  double gflops = 0;
  bool operator==(const GemmAtShape&) const = default;
};

/// The products that a layer is made of where its cases are computed product by product: with the
/// input over all steps [T*B, I] [I, G*H], of one step [B, H] [H, G*H], and the gradient of the
/// weights [G*H, T*B] [T*B, H]. Each once; gflops is 0 as yet.
std::vector<GemmAtShape> gemms_of(const std::vector<Case>&);

/// Fills in the GFLOP/s, in some 10 ms each. What would take long even at `peak` FLOP/s is left
/// out.
void measure_gemms(std::vector<GemmAtShape>&, const std::map<std::pair<Dtype, int>, double>& peak);

}  // namespace bptt::bench
