// What differs between oneDNN 2 (2.6 and newer) and oneDNN 3. version.cpp is the only file that
// asks which of them it is built with.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/onednn/cell_map.hpp"

namespace bptt::onednn {

/// The tensors of a pair of primitives. A gradient has the layout of what it is the gradient of.
struct Layouts {
  dnnl::memory::desc src_layer, dst_layer, state, weights_layer, weights_iter, bias;
  dnnl::memory::desc peephole;  ///< empty: none
  dnnl::rnn_direction direction;
};

struct Descriptors {
  dnnl::primitive_desc forward, backward;
  /// Backward overwrites the gradients of parameters. oneDNN 2 can only add to them: they must be
  /// zero before.
  bool overwrites = false;
};

/// Each in training, with scratchpads that are the caller's. All throw dnnl::error.
Descriptors describe_rnn(const Layouts&, dnnl::algorithm activation, float alpha);
Descriptors describe_lstm(const Layouts&);
Descriptors describe_gru(const Layouts&);
Descriptors describe_lbr_gru(const Layouts&);

/// A primitive's arguments by number, DNNL_ARG_...
using Arguments = std::unordered_map<int, dnnl::memory>;

/// The primitive that brings DNNL_ARG_FROM to DNNL_ARG_TO, multiplied with a factor. Adds to the
/// arguments whatever else it reads.
dnnl::reorder make_reorder(Arguments&, float factor);

/// A fault of the library that runs, where the case would meet it; docs/peers.md has the findings.
std::optional<std::string> known_fault(const CellMap&, const Shape&);

/// The largest instruction set that oneDNN uses here: what the processor has, or less where
/// ONEDNN_MAX_CPU_ISA says so.
std::string live_instruction_set();

}  // namespace bptt::onednn
