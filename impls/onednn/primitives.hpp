// The pair of primitives, forward in training and backward, that computes some layers and
// directions of a stack at once. Descriptors say which layouts the weights get and how large
// workspace and scratchpad are; making them computes nothing and allocates little.
#pragma once

#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/api/stack_spec.hpp"
#include "impls/onednn/cell_map.hpp"
#include "impls/onednn/version.hpp"

namespace bptt::onednn {

/// What one pair computes: layers of the same extents, of one direction or of both.
struct Group {
  Shape shape;  ///< of one direction of one layer
  Index layers = 1, directions = 1;

  Index units() const { return layers * directions; }
  Index output_width() const { return directions * shape.H; }
};

/// The groups of a stack, from the bottom: as few as oneDNN takes. All layers of a group read as
/// many features, so the first of a stack is by itself where I is not H; and a group of both
/// directions has one layer, because each direction of a second one would read its own below only.
std::vector<Group> groups_of(const StackSpec&);

/// x is [T,B,I], y [T,B,D*H] and states are [L,D,B,H] as ours; weights and their gradients have
/// whatever layout oneDNN chooses (format `any`, which its documentation recommends). Throws
/// dnnl::error.
Descriptors describe(const Group&, const CellMap&);

/// The weights of some layers and directions, each as ours, [G*H,n], with gate blocks in oneDNN's
/// order.
dnnl::memory::desc our_weights(const Group&, Index gates, Index n);

/// The layout a primitive wants for one of its arguments (DNNL_ARG_...).
inline dnnl::memory::desc layout_of(const dnnl::primitive_desc& primitive, int argument) {
  return primitive.query_md(dnnl::query::exec_arg_md, argument);
}

/// Which implementations run, in oneDNN's words: of both where they have the same, else "forward X,
/// backward Y".
std::string implementation_of(const Descriptors&);

}  // namespace bptt::onednn
