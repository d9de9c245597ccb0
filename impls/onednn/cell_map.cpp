#include "impls/onednn/cell_map.hpp"

#include "impls/peer/refusals.hpp"

namespace bptt::onednn {
namespace {

CellMap map_rnn(const Cell& cell) {
  using dnnl::algorithm;
  CellMap map;
  map.primitive = Primitive::vanilla_rnn;
  map.gate_count = map.bias_count = 1;
  map.gates[0] = {0, 1};
  switch (cell.activation) {
    case Activation::tanh:
      map.activation = algorithm::eltwise_tanh;
      break;
    case Activation::sigmoid:
      map.activation = algorithm::eltwise_logistic;
      break;
    case Activation::relu:  // refused below, for what it does with NaN
      map.activation = algorithm::eltwise_relu;
      break;
    case Activation::leaky_relu:
      map.activation = algorithm::eltwise_relu;
      map.alpha = static_cast<float>(leaky_relu_slope);
      break;
    case Activation::identity:  // relu that is as steep on the negative side
      map.activation = algorithm::eltwise_relu;
      map.alpha = 1;
      break;
  }
  return map;
}

/// oneDNN's order: i, f, candidate, o, as ours.
CellMap map_lstm(const Cell& cell) {
  CellMap map;
  map.primitive = Primitive::lstm;
  map.gate_count = map.bias_count = 4;
  for (Index g = 0; g < 4; ++g) map.gates[static_cast<std::size_t>(g)] = {g, 1};
  map.peephole = cell.peephole;
  return map;
}

/// oneDNN's order: u (our z), r, o (our n); ours: r, z, n.
CellMap map_gru(const Cell& cell) {
  CellMap map;
  const bool after = cell.reset == GruReset::after_matmul;
  map.primitive = after ? Primitive::lbr_gru : Primitive::gru;
  map.gate_count = 3;
  map.bias_count = after ? 4 : 3;
  map.gates[0] = {1, cell.update == GruUpdate::keep ? 1.0f : -1.0f};
  map.gates[1] = {0, 1};
  map.gates[2] = {2, 1};
  return map;
}

}  // namespace

bool CellMap::same_order() const {
  for (Index g = 0; g < gate_count; ++g) {
    const Gate& gate = gates[static_cast<std::size_t>(g)];
    if (gate.ours != g || gate.sign != 1) return false;
  }
  return true;
}

std::optional<CellMap> map_cell(const Cell& cell, std::string& reason) {
  if (const auto refused = peer::refuse_lstm_options("oneDNN", cell, /*peephole=*/true)) {
    reason = *refused;
    return std::nullopt;
  }
  if (cell.kind == CellKind::rnn && cell.activation == Activation::relu) {
    reason = "oneDNN's relu turns a NaN into 0 (docs/peers.md)";
    return std::nullopt;
  }
  switch (cell.kind) {
    case CellKind::rnn:
      return map_rnn(cell);
    case CellKind::lstm:
      return map_lstm(cell);
    case CellKind::gru:
      return map_gru(cell);
  }
  return std::nullopt;
}

}  // namespace bptt::onednn
