#include "impls/onednn/bias.hpp"

#include <algorithm>

namespace bptt::onednn {
namespace {

/// to = sign * from
void copy_block(const float* from, Index count, float sign, float* to) {
  if (sign == 1) {
    std::copy_n(from, count, to);
  } else {
    std::transform(from, from + count, to, [sign](float value) { return sign * value; });
  }
}

/// Calls visit(block of oneDNN's, Gate) for every gate.
template <class Visit>
void for_each_gate(const CellMap& map, Visit visit) {
  for (Index g = 0; g < map.gate_count; ++g) visit(g, map.gates[static_cast<std::size_t>(g)]);
}

/// lbr_gru's fourth bias is there.
bool has_recurrent_bias(const CellMap& map) {
  return map.bias_count > map.gate_count;
}

}  // namespace

void sum_biases(const CellMap& map, Index H, const Params<const float>& w, float* sum) {
  if (!w.bias_ih) {
    std::fill_n(sum, map.bias_count * H, 0.0f);
    return;
  }
  for_each_gate(map, [&](Index g, const Gate& gate) {
    const bool apart = has_recurrent_bias(map) && g == map.gate_count - 1;
    for (Index j = 0; j < H; ++j) {
      const float ih = w.bias_ih[gate.ours * H + j], hh = w.bias_hh[gate.ours * H + j];
      sum[g * H + j] = gate.sign * (apart ? ih : ih + hh);
      if (apart) sum[(g + 1) * H + j] = hh;
    }
  });
}

void split_bias_gradient(const CellMap& map, Index H, const float* gradient,
                         const Params<float>& grads) {
  for_each_gate(map, [&](Index g, const Gate& gate) {
    const bool apart = has_recurrent_bias(map) && g == map.gate_count - 1;
    const float* from = gradient + g * H;
    const float* recurrent = apart ? from + H : from;
    if (grads.bias_ih) copy_block(from, H, gate.sign, grads.bias_ih.data() + gate.ours * H);
    if (grads.bias_hh) copy_block(recurrent, H, gate.sign, grads.bias_hh.data() + gate.ours * H);
  });
}

}  // namespace bptt::onednn
