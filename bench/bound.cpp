#include "bench/bound.hpp"

#include <algorithm>

namespace bptt::bench {

std::vector<Work> work_of(const Spec& spec, Dtype dtype, Phase phase, Mode mode,
                          std::optional<Index> live_steps) {
  const auto T = static_cast<double>(spec.shape.T), B = static_cast<double>(spec.shape.B);
  // The longest sequence has T steps, whatever the others have.
  const double steps = live_steps ? static_cast<double>(*live_steps) : T * B;
  const auto H = static_cast<double>(spec.shape.H), I = static_cast<double>(spec.shape.I);
  const double gate_rows = static_cast<double>(spec.cell.gates()) * H;
  const double element = dtype == Dtype::f32 ? 4 : 8;
  const double states = spec.cell.has_cell_state() ? 2 : 1;

  const double x = element * steps * I, y = element * steps * H, state = element * states * B * H;
  const double weight_ih = element * gate_rows * I, weight_hh = element * gate_rows * H;
  const double biases = spec.cell.bias ? 2 * element * gate_rows : 0;
  // Without the input's product: of the input there is one feature, which is not counted.
  const bool input = mode == Mode::full_layer;
  const double input_flops = input ? 2 * steps * gate_rows * I : 0;
  const double recurrent_flops = 2 * steps * gate_rows * H;

  std::vector<Work> work;
  if (phase != Phase::backward) {
    if (input) work.push_back({input_flops, x + weight_ih + biases, 0, 0});
    work.push_back({recurrent_flops, 2 * state + y, weight_hh, T});
  }
  if (phase != Phase::forward) {
    work.push_back({recurrent_flops, y + 2 * state, weight_hh, T});
    if (input) work.push_back({input_flops, weight_ih + x, 0, 0});
    work.push_back({input_flops + recurrent_flops,
                    (input ? x + weight_ih : 0) + y + weight_hh + biases, 0, 0});
  }
  return work;
}

double touched_bytes(const Case& c, Phase phase) {
  double elements = 0;
  bool first = true;
  const auto steps = static_cast<double>(live_steps(c));
  for (const auto& [spec, plans] : c.spec.different_layers()) {
    const auto B = static_cast<double>(spec.shape.B);
    const auto H = static_cast<double>(spec.shape.H), I = static_cast<double>(spec.shape.I);
    const double gate_rows = static_cast<double>(spec.cell.gates()) * H;
    const double biases = spec.cell.bias ? 2 * gate_rows : 0;
    const double parameters = gate_rows * (I + H);
    const double states = (spec.cell.has_cell_state() ? 4 : 2) * B * H;  // first and last
    // What a layer above reads is what the one below has written; two directions read the same.
    const double x = first ? steps * I : 0;
    const auto count = static_cast<double>(plans);
    const double forward = x + count * (parameters + biases + steps * H + states);
    // What backward writes has the extents of what forward reads, and the other way round.
    const double gradients = forward;
    const double read_again = x + count * (parameters + steps * H + states / 2);
    elements += phase == Phase::forward    ? forward
                : phase == Phase::backward ? gradients + read_again
                                           : gradients + forward;
    first = false;
  }
  return elements * (c.dtype == Dtype::f32 ? 4 : 8);
}

double least_bytes(const Case& c, Phase phase) {
  double bytes = 0;
  const Index steps = live_steps(c);
  for (const auto& [spec, plans] : c.spec.different_layers()) {
    for (const Work& work : work_of(spec, c.dtype, phase, c.mode, steps)) {
      bytes += static_cast<double>(plans) * (work.bytes_once + work.passes * work.weight_bytes);
    }
  }
  return bytes;
}

std::optional<double> bound_seconds(const Case& c, Phase phase, const Limits& limits,
                                    std::optional<double> gemm_flops) {
  const auto fma = limits.fma.find({c.dtype, c.exec.threads});
  const Bandwidth* all = limits.level_for(touched_bytes(c, phase), c.exec.threads);
  if (fma == limits.fma.end() || all == nullptr) return std::nullopt;
  const double flops_per_second = std::max(fma->second, gemm_flops.value_or(0));
  double seconds = 0;
  const Index steps = live_steps(c);
  for (const auto& [spec, plans] : c.spec.different_layers()) {
    for (const Work& work : work_of(spec, c.dtype, phase, c.mode, steps)) {
      const Bandwidth* weights = limits.level_for(work.weight_bytes, c.exec.threads);
      const double traffic =
          work.bytes_once / all->best() + work.passes * work.weight_bytes / weights->best();
      seconds += static_cast<double>(plans) * std::max(work.flops / flops_per_second, traffic);
    }
  }
  return seconds;
}

}  // namespace bptt::bench
