#include "verify/layout.hpp"

#include <algorithm>
#include <complex>

namespace bptt::verify {
namespace {

/// Whether the parameters of a gate have an effect on anything.
bool is_live(const Cell& cell, const std::string& gate) {
  if (cell.kind != CellKind::lstm) return true;
  if (gate == "i") return cell.input_gate && !cell.coupled;
  if (gate == "f") return cell.forget_gate;
  if (gate == "o") return cell.output_gate;
  return true;
}

/// Length of the last axis, where elements of one step, batch row or matrix row stand side by side.
Index columns_of(const Layout& layout) {
  const Extents& extents = layout.extents;
  if (extents.rank() == 2 && layout.outer == net::OuterAxis::time) return 1;  // [T,B]
  return extents[extents.rank() - 1];
}

std::string state_name(Index block, Index directions) {
  return "layer " + std::to_string(block / directions) +
         (block % directions == 1 ? " reverse" : "");
}

}  // namespace

template <Scalar T>
Layout layout_of(const net::ModelTensor<T>& tensor, bool gradient, const Cell& cell,
                 Index directions) {
  Layout layout;
  layout.name = (gradient ? "grad." : "") + tensor.name;
  layout.extents = (gradient ? tensor.gradient : tensor.value).extents();
  layout.outer = tensor.outer;
  layout.blocks = tensor.outer == net::OuterAxis::none ? 1 : tensor.blocks;
  layout.batched = tensor.role != net::Role::parameter && layout.extents.rank() > 1;
  if (tensor.outer == net::OuterAxis::gates) {
    layout.block_names = tensor.gate_names;
    for (const std::string& gate : tensor.gate_names) {
      layout.dead_blocks.push_back(!is_live(cell, gate));
    }
  }
  if (tensor.outer == net::OuterAxis::states && tensor.blocks > 1) {
    for (Index block = 0; block < tensor.blocks; ++block) {
      layout.block_names.push_back(state_name(block, directions));
    }
  }
  if (tensor.outer == net::OuterAxis::time && tensor.lengths) layout.lengths = *tensor.lengths;
  return layout;
}

std::vector<Slice> slices_of(const Layout& layout) {
  std::vector<Slice> slices;
  const Index size = layout.block_size();
  for (Index i = 0; i < layout.blocks; ++i) {
    slices.push_back({i * size, (i + 1) * size, layout.outer == net::OuterAxis::time ? i : -1});
  }
  return slices;
}

Place place_of(const Layout& layout, Index index) {
  Place place;
  place.tensor = layout.name;
  place.index = index;
  const Extents& extents = layout.extents;
  const Index block = layout.block_of(index);
  const Index within = index % layout.block_size();
  if (layout.outer == net::OuterAxis::time) place.time = block;
  const auto at = static_cast<std::size_t>(block);
  if (layout.outer == net::OuterAxis::gates) place.gate = layout.block_names[at];
  if (layout.outer == net::OuterAxis::states && !layout.block_names.empty()) {
    place.state = layout.block_names[at];
  }
  if (extents.rank() < 2) {
    place.row = within;
    return place;
  }
  const Index columns = columns_of(layout);
  place.column = within % columns;
  (layout.batched ? place.batch : place.row) = within / columns;
  return place;
}

std::string to_string(const Place& place) {
  std::string text = place.tensor;
  if (place.time >= 0) text += " t=" + std::to_string(place.time);
  if (!place.state.empty()) text += " " + place.state;
  if (place.batch >= 0) text += " batch " + std::to_string(place.batch);
  if (!place.gate.empty()) text += " gate " + place.gate;
  if (place.row >= 0) text += " row " + std::to_string(place.row);
  if (place.column >= 0) text += " column " + std::to_string(place.column);
  return text;
}

bool is_padding(const Layout& layout, Index index) {
  if (layout.lengths.empty()) return false;
  const Index batch = index % layout.block_size() / columns_of(layout);
  return layout.block_of(index) >= layout.lengths[static_cast<std::size_t>(batch)];
}

bool must_be_zero(const Layout& layout, Index index) {
  if (!layout.dead_blocks.empty() &&
      layout.dead_blocks[static_cast<std::size_t>(layout.block_of(index))]) {
    return true;
  }
  return is_padding(layout, index);
}

#define BPTT_INSTANTIATE(T) \
  template Layout layout_of(const net::ModelTensor<T>&, bool, const Cell&, Index)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
BPTT_INSTANTIATE(long double);
BPTT_INSTANTIATE(std::complex<double>);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
