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
  const auto as_it_lies = [&](const dnnl::memory::desc& theirs) {
    return map.same_order() && theirs == l.ours;
  };
  if (!as_it_lies(l.forward)) bookings.forward = layout.book<char>(bytes(l.forward));
  if (!as_it_lies(l.backward)) bookings.backward = layout.book<char>(bytes(l.backward));
  bookings.gradient = layout.book<char>(bytes(l.gradient));
  return bookings;
}

Weight::Weight(const schedule::Workspace& workspace, const Bookings& bookings, const CellMap& map,
               const WeightLayouts& layouts)
    : forward_(workspace.at(bookings.forward)),
      backward_(workspace.at(bookings.backward)),
      gradient_(workspace.at(bookings.gradient)),
      gradient_bytes_(layouts.gradient.get_size()),
      to_forward_(map, layouts, Reorders::From::ours, layouts.forward),
      to_backward_(map, layouts, Reorders::From::ours, layouts.backward),
      to_ours_(map, layouts, Reorders::From::theirs, layouts.gradient) {
  // What a layout has for padding: reorders gate by gate leave it alone.
  if (forward_ != nullptr) std::fill_n(forward_, bytes(layouts.forward), char{0});
  if (backward_ != nullptr) std::fill_n(backward_, bytes(layouts.backward), char{0});
}

Weight::Reorder::Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to, float factor)
    : source(from, engine(), DNNL_MEMORY_NONE), target(to, engine(), DNNL_MEMORY_NONE) {
  dnnl::primitive_attr attributes;
  if (factor != 1) attributes.set_output_scales(0, {factor});
  primitive = dnnl::reorder(source, target, attributes);
}

void Weight::Reorder::run(const void* from, void* to, dnnl::stream& stream) {
  source.set_data_handle(to_write(from));
  target.set_data_handle(to);
  primitive.execute(stream, source, target);
}

Weight::Reorders::Reorders(const CellMap& map, const WeightLayouts& l, From from,
                           const dnnl::memory::desc& theirs) {
  const auto add = [&](const dnnl::memory::desc& our_part, const dnnl::memory::desc& their_part,
                       float factor) {
    if (from == From::ours) {
      all.emplace_back(our_part, their_part, factor);
    } else {
      all.emplace_back(their_part, our_part, factor);
    }
  };
  if (map.same_order()) {
    add(l.ours, theirs, 1);
    return;
  }
  for_each_gate(map, [&](Index g, const Gate& gate) {
    const auto block = [&](const dnnl::memory::desc& whole, Index at) {
      return whole.submemory_desc({1, 1, l.n, 1, l.H}, {0, 0, 0, at, 0});
    };
    add(block(l.ours, gate.ours), block(theirs, g), gate.sign);
  });
}

void Weight::Reorders::run(const void* from, void* to, dnnl::stream& stream) {
  for (Reorder& reorder : all) reorder.run(from, to, stream);
}

void* Weight::forward(const float* ours, dnnl::stream& stream) {
  if (forward_ == nullptr) return to_write(ours);
  to_forward_.run(ours, forward_, stream);
  return forward_;
}

void* Weight::backward(const float* ours, dnnl::stream& stream) {
  if (backward_ == nullptr) return to_write(ours);
  to_backward_.run(ours, backward_, stream);
  return backward_;
}

void* Weight::zero_gradient() {
  std::fill_n(gradient_, gradient_bytes_, char{0});
  return gradient_;
}

void Weight::gradient_to(float* ours, dnnl::stream& stream) {
  if (ours != nullptr) to_ours_.run(gradient_, ours, stream);
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
