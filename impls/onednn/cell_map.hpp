// A cell of this suite in oneDNN's words: which primitive, which activation, and where each gate
// block goes. docs/peers.md has the table.
#pragma once

#include <array>
#include <optional>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/api/spec.hpp"

namespace bptt::onednn {

enum class Primitive { vanilla_rnn, lstm, gru, lbr_gru };

/// One gate block of oneDNN: which block of ours it holds, and with which sign. oneDNN's update
/// gate weighs the old state, h_t = u h_{t-1} + (1-u) n; where ours weighs the candidate, u = 1 - z
/// = sigmoid(-a_z), so all that goes into a_z changes its sign, which is exact.
struct Gate {
  Index ours = 0;
  float sign = 1;
};

struct CellMap {
  Primitive primitive = Primitive::lstm;
  dnnl::algorithm activation = dnnl::algorithm::undef;  ///< vanilla_rnn only
  float alpha = 0;                                      ///< slope of relu on the negative side
  std::array<Gate, 4> gates{};
  Index gate_count = 0;
  Index bias_count = 0;  ///< lbr_gru has a fourth bias, that of W_hn h, which r multiplies
  bool peephole = false;

  /// Gate blocks are where oneDNN wants them: parameters can be used as they lie.
  bool same_order() const;
};

/// Nothing, with the reason, where oneDNN lacks the cell.
std::optional<CellMap> map_cell(const Cell&, std::string& reason);

}  // namespace bptt::onednn
