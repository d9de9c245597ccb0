#include "impls/onednn/weight.hpp"

#include <algorithm>

#include "impls/onednn/primitives.hpp"

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

void* to_write(const void* data) {
  return const_cast<void*>(data);  // oneDNN's interface has no const; it only reads arguments
}

Index bytes(const dnnl::memory::desc& layout) {
  return static_cast<Index>(layout.get_size());
}

/// lbr_gru's fourth bias is there.
bool has_recurrent_bias(const CellMap& map) {
  return map.bias_count > map.gate_count;
}

}  // namespace

Weight::Bookings Weight::book(schedule::WorkspaceLayout& layout, const CellMap& map,
                              const WeightLayouts& l) {
  Bookings bookings;
  if (!map.same_order()) bookings.ordered = layout.book<float>(map.gate_count * l.H * l.n);
  if (l.forward != l.ours) bookings.forward = layout.book<char>(bytes(l.forward));
  if (l.backward != l.ours) bookings.backward = layout.book<char>(bytes(l.backward));
  bookings.gradient = layout.book<char>(bytes(l.gradient));
  return bookings;
}

Weight::Weight(const schedule::Workspace& workspace, const Bookings& bookings, const CellMap& map,
               const WeightLayouts& layouts)
    : map_(map),
      layouts_(layouts),
      ordered_(workspace.at(bookings.ordered)),
      forward_(workspace.at(bookings.forward)),
      backward_(workspace.at(bookings.backward)),
      gradient_(workspace.at(bookings.gradient)),
      to_forward_(layouts.ours, layouts.forward),
      to_backward_(layouts.ours, layouts.backward),
      to_ours_(layouts.gradient, layouts.ours) {}

Weight::Reorder::Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to)
    : source(from, engine(), DNNL_MEMORY_NONE),
      target(to, engine(), DNNL_MEMORY_NONE),
      primitive(source, target) {}

void Weight::Reorder::run(const void* from, void* to, dnnl::stream& stream) {
  source.set_data_handle(to_write(from));
  target.set_data_handle(to);
  primitive.execute(stream, source, target);
}

void* Weight::forward(const float* ours, dnnl::stream& stream) {
  if (ordered_ != nullptr) {
    const Index block = layouts_.H * layouts_.n;
    for_each_gate(map_, [&](Index g, const Gate& gate) {
      copy_block(ours + gate.ours * block, block, gate.sign, ordered_ + g * block);
    });
    ours = ordered_;
  }
  if (forward_ == nullptr) return to_write(ours);
  to_forward_.run(ours, forward_, stream);
  return forward_;
}

void* Weight::backward(const float* ours, dnnl::stream& stream) {
  if (ordered_ != nullptr) ours = ordered_;
  if (backward_ == nullptr) return to_write(ours);
  to_backward_.run(ours, backward_, stream);
  return backward_;
}

void* Weight::zero_gradient() {
  std::fill_n(gradient_, bytes(layouts_.gradient), char{0});
  return gradient_;
}

void Weight::gradient_to(float* ours, dnnl::stream& stream) {
  if (ours == nullptr) return;
  to_ours_.run(gradient_, ordered_ != nullptr ? ordered_ : ours, stream);
  if (ordered_ == nullptr) return;
  const Index block = layouts_.H * layouts_.n;
  for_each_gate(map_, [&](Index g, const Gate& gate) {
    copy_block(ordered_ + g * block, block, gate.sign, ours + gate.ours * block);
  });
}

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
