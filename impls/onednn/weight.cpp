#include "impls/onednn/weight.hpp"

#include <algorithm>

#include "impls/onednn/engine.hpp"
#include "impls/peer/stopwatch.hpp"

namespace bptt::onednn {
namespace {

using dnnl::memory;

void* to_write(const void* data) {
  return const_cast<void*>(data);  // oneDNN's interface has no const; it only reads arguments
}

Index bytes(const memory::desc& layout) {
  return static_cast<Index>(layout.get_size());
}

/// All of them would be read as they lie, were they in one tensor.
bool is_ours(const memory::desc& theirs, const CellMap& map, const WeightLayouts& l) {
  return map.same_order() && theirs == our_weights(l.group, map.gate_count, l.n);
}

}  // namespace

Weight::Bookings Weight::book(schedule::WorkspaceLayout& layout, const CellMap& map,
                              const WeightLayouts& l) {
  Bookings bookings;
  const auto as_it_lies = [&](const memory::desc& theirs) {
    return l.group.units() == 1 && is_ours(theirs, map, l);
  };
  if (!as_it_lies(l.forward)) bookings.forward = layout.book<char>(bytes(l.forward));
  if (!as_it_lies(l.backward)) bookings.backward = layout.book<char>(bytes(l.backward));
  bookings.gradient = layout.book<char>(bytes(l.gradient));
  return bookings;
}

Weight::Weight(const schedule::Workspace& workspace, const Bookings& bookings, const CellMap& map,
               const WeightLayouts& layouts, WeightRole role)
    : role_(role),
      forward_(workspace.at(bookings.forward)),
      backward_(workspace.at(bookings.backward)),
      gradient_(workspace.at(bookings.gradient)),
      gradient_bytes_(layouts.gradient.get_size()),
      to_forward_(map, layouts, Reorders::From::ours, layouts.forward),
      to_backward_(map, layouts, Reorders::From::ours, layouts.backward),
      to_ours_(map, layouts, Reorders::From::theirs, layouts.gradient) {
  // What a layout has for padding: reorders part by part leave it alone.
  if (forward_ != nullptr) std::fill_n(forward_, bytes(layouts.forward), char{0});
  if (backward_ != nullptr) std::fill_n(backward_, bytes(layouts.backward), char{0});
}

Weight::Reorder::Reorder(Index of_unit, const memory::desc& from, const memory::desc& to,
                         float factor)
    : unit(of_unit),
      arguments{{DNNL_ARG_FROM, {from, engine(), DNNL_MEMORY_NONE}},
                {DNNL_ARG_TO, {to, engine(), DNNL_MEMORY_NONE}}},
      primitive(make_reorder(arguments, factor)) {}

void Weight::Reorder::run(const void* from, void* to, dnnl::stream& stream) {
  arguments.at(DNNL_ARG_FROM).set_data_handle(to_write(from));
  arguments.at(DNNL_ARG_TO).set_data_handle(to);
  primitive.dnnl::primitive::execute(stream, arguments);
}

Weight::Reorders::Reorders(const CellMap& map, const WeightLayouts& l, From from,
                           const memory::desc& theirs)
    : only_gathers(is_ours(theirs, map, l)) {
  const Index D = l.group.directions, H = l.group.shape.H;
  const auto add = [&](Index unit, const memory::desc& our_part, const memory::desc& their_part,
                       float factor) {
    if (from == From::ours) {
      all.emplace_back(unit, our_part, their_part, factor);
    } else {
      all.emplace_back(unit, their_part, our_part, factor);
    }
  };
  for (Index unit = 0; unit < l.group.units(); ++unit) {
    const auto their_gates = [&](Index first, Index count) {
      return theirs.submemory_desc({1, 1, l.n, count, H}, {unit / D, unit % D, 0, first, 0});
    };
    if (map.same_order()) {
      // Not a part where there is nothing else: some layouts have no parts.
      const bool alone = l.group.units() == 1;
      add(unit, l.ours, alone ? theirs : their_gates(0, map.gate_count), 1);
      continue;
    }
    for (Index g = 0; g < map.gate_count; ++g) {
      const Gate& gate = map.gates[static_cast<std::size_t>(g)];
      const auto our_gate = l.ours.submemory_desc({1, 1, l.n, 1, H}, {0, 0, 0, gate.ours, 0});
      add(unit, our_gate, their_gates(g, 1), gate.sign);
    }
  }
}

void* Weight::bring(Reorders& reorders, GroupParams params, char* to, dnnl::stream& stream,
                    LayoutSeconds& seconds) {
  const auto ours = [&](Index unit) {
    return (params[static_cast<std::size_t>(unit)].*role_.value).data();
  };
  if (to == nullptr) return to_write(ours(0));
  const peer::Stopwatch watch(reorders.only_gathers ? seconds.activations : seconds.weights);
  for (Reorder& reorder : reorders.all) reorder.run(ours(reorder.unit), to, stream);
  return to;
}

void* Weight::forward(GroupParams params, dnnl::stream& stream, LayoutSeconds& seconds) {
  return bring(to_forward_, params, forward_, stream, seconds);
}

void* Weight::backward(GroupParams params, dnnl::stream& stream, LayoutSeconds& seconds) {
  return bring(to_backward_, params, backward_, stream, seconds);
}

void Weight::zero_gradient() {
  std::fill_n(gradient_, gradient_bytes_, char{0});
}

void Weight::gradient_to(std::span<const Params<float>> params, dnnl::stream& stream) {
  if (params.empty()) return;
  for (Reorder& reorder : to_ours_.all) {
    const View<float>& wanted = params[static_cast<std::size_t>(reorder.unit)].*role_.gradient;
    if (wanted) reorder.run(gradient_, wanted.data(), stream);
  }
}

}  // namespace bptt::onednn
