// oneDNN's primitive descriptors for a spec: one layer, forward in training and backward. They say
// which layouts the weights get and how large workspace and scratchpad are; making them computes
// nothing and allocates little.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/onednn/cell_map.hpp"

namespace bptt::onednn {

/// The processor, for the whole program.
const dnnl::engine& engine();

struct Descriptors {
  dnnl::primitive_desc forward, backward;
};

/// Activations are [T,B,I] and [T,B,H] as ours; weights and their gradients in whatever layout
/// oneDNN chooses (format `any`, which its documentation recommends); scratchpads are the caller's.
/// Throws dnnl::error.
Descriptors describe(const Shape&, const CellMap&);

/// A weight of ours, [G*H,n] with gate blocks in oneDNN's order.
dnnl::memory::desc our_weights(Index gates, Index H, Index n);

/// The layout a primitive wants for one of its arguments (DNNL_ARG_...).
inline dnnl::memory::desc layout_of(const dnnl::primitive_desc& primitive, int argument) {
  return primitive.query_md(dnnl::query::exec_arg_md, argument);
}

}  // namespace bptt::onednn
