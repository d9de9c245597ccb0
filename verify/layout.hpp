// How a tensor that is judged is laid out: which parts of it are judged by themselves, where an
// element is in the words of a message, and which elements can only be zero. The same for a single
// layer and for any model.
#pragma once

#include <string>
#include <vector>

#include "impls/api/spec.hpp"
#include "impls/net/model.hpp"

namespace bptt::verify {

struct Layout {
  std::string name;  ///< as files and messages have it: "y", "grad.weight_hh_l0"
  Extents extents;
  net::OuterAxis outer = net::OuterAxis::none;
  Index blocks = 1;                        ///< along the outermost axis: steps, gates, states
  std::vector<std::string> block_names{};  ///< "f" of gates, "layer 1 reverse" of states
  /// Blocks without effect on anything: the rows of a gate that an option of the cell takes away.
  std::vector<bool> dead_blocks{};
  std::vector<Index> lengths{};  ///< [B] of a tensor over time with padding; else empty
  bool batched = false;          ///< the last axis but one is the batch

  Index block_size() const { return extents.size() / blocks; }
  Index block_of(Index index) const { return index / block_size(); }
};

/// Of the gradient of a model's tensor, or of its value. `directions` names the blocks of states.
template <Scalar T>
Layout layout_of(const net::ModelTensor<T>& tensor, bool gradient, const Cell& cell,
                 Index directions);

/// A part of a tensor that is judged by its own signal and noise: one time step of x and y, one
/// gate block of a parameter, one state. A contiguous range of elements.
struct Slice {
  Index begin = 0, end = 0;
  Index time = -1;  ///< -1: has no time axis
};
std::vector<Slice> slices_of(const Layout&);

/// Where one element is, in the words of a message.
struct Place {
  std::string tensor;
  Index index = -1;  ///< -1: nowhere in particular
  Index time = -1, batch = -1;
  std::string gate;             ///< of a parameter
  std::string state;            ///< "layer 1 reverse", where there are several states
  Index row = -1, column = -1;  ///< row: within the gate block; column: the last axis
};
Place place_of(const Layout&, Index index);
/// "grad.weight_hh_l0 gate f row 3 column 2", "grad.x t=4 batch 1 column 0"
std::string to_string(const Place&);

/// True where element `index` is padding: a step beyond its sequence's length.
bool is_padding(const Layout&, Index index);
/// True where only zero is right: padding, and what has no effect.
bool must_be_zero(const Layout&, Index index);

}  // namespace bptt::verify
