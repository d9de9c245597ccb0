// Weights of ours, [4*H,n] by rows, into libxsmm's blocks and back. Timed as part of a call:
// weights change at every training step.
#pragma once

#include "impls/api/tensors.hpp"
#include "impls/threads/openmp.hpp"

namespace bptt::xsmm {

/// Which gate block of ours each of libxsmm's holds: i, g, f, o.
inline constexpr Index gates[] = {0, 2, 1, 3};

/// A weight's extents and its blocks: H = kb*k, n = cb*c.
struct WeightShape {
  Index H, n, k, c;
};

using threads::OpenMpThreads;

/// packed [4][kb][cb][c][k]
void pack(const OpenMpThreads&, const WeightShape&, const float* ours, float* packed);
/// packed [4][cb][kb][k][c], which the lstm's backward pass reads
void pack_transposed(const OpenMpThreads&, const WeightShape&, const float* ours, float* packed);
/// From [4][kb][cb][c][k].
void unpack(const OpenMpThreads&, const WeightShape&, const float* packed, float* ours);

/// libxsmm has one bias; ours are two, or none.
void sum_biases(Index H, const Params<const float>&, float* sum);
void split_bias_gradient(Index H, const float* gradient, const Params<float>&);

}  // namespace bptt::xsmm
