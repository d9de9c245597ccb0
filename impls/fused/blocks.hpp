// Sizes of the blocks in which long sums are taken, where they decide how much memory is booked.
#pragma once

#include "impls/fused/layout.hpp"

namespace bptt::fused {

/// Inputs whose weights are packed at once. Packing pads hidden units to whole vectors, which a
/// case of few units and very many inputs would pay for in memory.
inline constexpr Index most_inputs_packed = 8192;

/// Rows of a block of a weight gradient: what a register tile reads of them stays in the
/// second-level cache, and the gradients are read and written once for this many.
inline constexpr Index weight_block_rows = 512;
/// About so many where threads take blocks while another is still in the time loop: what is left
/// when it ends, all wait for.
inline constexpr Index weight_block_rows_behind = 64;
/// Panels of x packed at a time for a block, by each thread.
inline constexpr Index weight_block_panels = 64;

/// The packed x of a block: [thread][panel][row][lane].
struct InputBlock {
  InputBlock(const Shape& shape, Index lanes, Index threads)
      : rows(std::min(weight_block_rows, checked_product({shape.T, shape.B}, "workspace"))),
        panels(std::min(weight_block_panels, divided_up(shape.I, lanes))),
        panel(panel_stride(rows, 1, lanes)),
        size(checked_product({threads, panels, panel}, "workspace")) {}
  Index rows, panels;
  Index panel;  ///< stride
  Index size;
};

}  // namespace bptt::fused
