#include "impls/xsmm/weights.hpp"

#include <iterator>

namespace bptt::xsmm {
namespace {

constexpr Index gate_count = std::size(gates);

/// Calls visit(gate of ours, first unit, first column, block's number in kb-major order,
/// in cb-major order) for every block, shared by the team.
template <class Visit>
void for_each_block(const OpenMpThreads& team, const WeightShape& s, Visit visit) {
  const Index kb = s.H / s.k, cb = s.n / s.c, blocks = gate_count * kb * cb;
  team.run([&](int thread) {
    const Index begin = blocks * thread / team.count(), end = blocks * (thread + 1) / team.count();
    for (Index block = begin; block < end; ++block) {
      const Index g = block / (kb * cb), in_gate = block % (kb * cb);
      const Index ik = in_gate / cb, ic = in_gate % cb;
      visit(gates[g], ik * s.k, ic * s.c, block, g * kb * cb + ic * kb + ik);
    }
  });
}

}  // namespace

void pack(const OpenMpThreads& team, const WeightShape& s, const float* ours, float* packed) {
  for_each_block(team, s, [&](Index gate, Index row, Index column, Index block, Index) {
    const float* from = ours + (gate * s.H + row) * s.n + column;
    float* to = packed + block * s.k * s.c;
    for (Index c = 0; c < s.c; ++c) {
      for (Index k = 0; k < s.k; ++k) to[c * s.k + k] = from[k * s.n + c];
    }
  });
}

void pack_transposed(const OpenMpThreads& team, const WeightShape& s, const float* ours,
                     float* packed) {
  for_each_block(team, s, [&](Index gate, Index row, Index column, Index, Index block) {
    const float* from = ours + (gate * s.H + row) * s.n + column;
    float* to = packed + block * s.k * s.c;
    for (Index k = 0; k < s.k; ++k) {
      for (Index c = 0; c < s.c; ++c) to[k * s.c + c] = from[k * s.n + c];
    }
  });
}

void unpack(const OpenMpThreads& team, const WeightShape& s, const float* packed, float* ours) {
  for_each_block(team, s, [&](Index gate, Index row, Index column, Index block, Index) {
    const float* from = packed + block * s.k * s.c;
    float* to = ours + (gate * s.H + row) * s.n + column;
    for (Index k = 0; k < s.k; ++k) {
      for (Index c = 0; c < s.c; ++c) to[k * s.n + c] = from[c * s.k + k];
    }
  });
}

void sum_biases(Index H, const Params<const float>& w, float* sum) {
  for (Index g = 0; g < gate_count; ++g) {
    const Index gate = gates[g];
    for (Index j = 0; j < H; ++j) {
      const Index ours = gate * H + j;
      sum[g * H + j] = w.bias_ih ? (w.bias_ih[ours] + w.bias_hh[ours]) : 0.0f;
    }
  }
}

void split_bias_gradient(Index H, const float* gradient, const Params<float>& grads) {
  for (Index g = 0; g < gate_count; ++g) {
    const Index gate = gates[g];
    for (const View<float>& ours : {grads.bias_ih, grads.bias_hh}) {
      if (!ours) continue;
      for (Index j = 0; j < H; ++j) ours[gate * H + j] = gradient[g * H + j];
    }
  }
}

}  // namespace bptt::xsmm
