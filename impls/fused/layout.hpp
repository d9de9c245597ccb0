// How the arrays of `fused` are laid out: what a row of gates holds for each kind of cell, and how
// extents become panels.
#pragma once

#include <algorithm>
#include <array>

#include "impls/api/spec.hpp"
#include "impls/fused/kernels.hpp"

namespace bptt::fused {

/// Neighbouring vectors of a row of gates.
struct Slice {
  int first = 0, vectors = 0;
};

/// A row of gates in one panel: `width` vectors, and which of them take part in which product. They
/// are ordered so that each product's are neighbours: one run of k, forward and backward.
///
///   rnn                  h
///   lstm                 i f g o
///   gru, before_matmul   n r z      hidden: r z;    reset: n, of r h_{t-1}
///   gru, after_matmul    n r z q    hidden: r z q, where q = W_hn h_{t-1} + b_hn
struct CellLayout {
  int width = 0;
  std::array<int, max_tile_vectors> block{};  ///< the gate block of the weights, per vector
  Slice input;                                ///< x W_ih^T
  Slice hidden;                               ///< h_{t-1} W_hh^T
  Slice reset;                                ///< (r h_{t-1}) W_hh^T; none: 0 vectors
};

inline CellLayout cell_layout(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::rnn:
      return {1, {0}, {0, 1}, {0, 1}, {}};
    case CellKind::lstm:
      return {4, {0, 1, 2, 3}, {0, 4}, {0, 4}, {}};
    case CellKind::gru:
      return cell.reset == GruReset::after_matmul
                 ? CellLayout{4, {2, 0, 1, 2}, {0, 3}, {1, 3}, {}}
                 : CellLayout{3, {2, 0, 1}, {0, 3}, {1, 2}, {0, 1}};
  }
  return {};
}

inline Index divided_up(Index n, Index by) {
  return (n + by - 1) / by;
}

/// n things in runs, as even as can be, the longer runs first. It divides when it is made, and not
/// in the time loop, where divisions would take several percent of a small step.
class Tiling {
 public:
  Tiling() = default;
  /// Runs of at most `most`.
  Tiling(Index n, Index most) : Tiling(Runs{divided_up(n, most)}, n) {}
  static Tiling in_runs(Index n, Index runs) { return {Runs{runs}, n}; }
  Index count() const { return count_; }
  Index begin(Index run) const { return run * length_ + std::min(run, longer_); }

 private:
  struct Runs {
    Index count;
  };
  Tiling(Runs runs, Index n)
      : count_(runs.count), length_(count_ == 0 ? 0 : n / count_), longer_(n - count_ * length_) {}

  Index count_ = 0, length_ = 0, longer_ = 0;
};

/// The share of one of several threads.
struct Range {
  Index begin = 0, end = 0;
};
inline Range share_of(Index n, Index rank, Index size) {
  if (size == 1) return {0, n};
  return {n * rank / size, n * (rank + 1) / size};
}

/// Elements from one panel to the next of an array of `rows` rows of `vectors` vectors. The rows of
/// a tile in all panels should meet in the first-level cache: with a stride of a multiple of 4 KiB,
/// which batches of powers of two have, they would all fall into the same few sets of it.
inline Index panel_stride(Index rows, Index vectors, Index lanes) {
  constexpr Index sets = 64, step = 8;
  const Index wanted = step * std::max<Index>(1, (vectors - 1) | 1);
  const Index filled = checked_product({rows, vectors}, "workspace");
  const Index free = (wanted - filled % sets + sets) % sets;
  return checked_product({checked_sum({filled, free}, "workspace"), lanes}, "workspace");
}

/// Extents in panels, and strides of the panelled arrays.
struct Geometry {
  Geometry(const Spec& spec, Index lanes_, Index tape_rows, Index state_rows, Index parts)
      : shape(spec.shape),
        cell(cell_layout(spec.cell)),
        lanes(lanes_),
        unit_panels(divided_up(spec.shape.H, lanes_)),
        input_panels(divided_up(spec.shape.I, lanes_)),
        gate_row(cell.width * lanes_),
        gate_panel(panel_stride(tape_rows, cell.width, lanes_)),
        tape_panel(panel_stride(tape_rows, 1, lanes_)),
        state_panel(panel_stride(state_rows, 1, lanes_)),
        part_panel(panel_stride(divided_up(spec.shape.B, parts), 1, lanes_)),
        first_panel(checked_product({divided_up(spec.shape.B, parts), lanes_}, "workspace")),
        part_states(checked_product({unit_panels, first_panel}, "workspace")),
        part_gradients(checked_sum(
            {checked_product({unit_panels, part_panel}, "workspace"), parts > 1 ? page : 0},
            "workspace")),
        part_bias(checked_sum(
            {checked_product({unit_panels, 2, gate_row}, "workspace"), parts > 1 ? page : 0},
            "workspace")),
        shared_panel(panel_stride(spec.shape.B, cell.width, lanes_)),
        shared_step(checked_sum({checked_product({unit_panels, shared_panel}, "workspace"), page},
                                "workspace")) {}

  /// Units of a panel that exist.
  Index units(Index panel) const { return std::min(lanes, shape.H - panel * lanes); }
  Index unit_tail() const { return shape.H % lanes; }

  /// The walk over a row of states, or of some vectors of gates.
  Walk state_walk(Index panel) const {
    return {shape.H / lanes, lanes, panel, unit_tail() > 0 ? 1 : 0, unit_tail(), 0};
  }
  Walk gate_walk(Slice slice, Index panel) const {
    return {shape.H / lanes, slice.vectors * lanes,
            panel,           unit_tail() > 0 ? slice.vectors : 0,
            unit_tail(),     lanes};
  }

  Shape shape;
  CellLayout cell;
  Index lanes;
  Index unit_panels, input_panels;
  Index gate_row;     ///< elements of a row of gates
  Index gate_panel;   ///< from panel to panel: gates
  Index tape_panel;   ///< single vectors on the tape
  Index state_panel;  ///< h_{t-1} and c_t
  Index part_panel;   ///< single vectors per sequence of a part
  Index first_panel;  ///< the same, of states that a pass starts from: no row more than there are
  // From part to part. What a step writes is a page apart: the hardware fetches what lies behind
  // the lines that a thread uses, and would take it away from the thread whose part that is.
  Index part_states;     ///< states that a pass starts from
  Index part_gradients;  ///< dh and the like
  Index part_bias;       ///< sums for db
  Index shared_panel;    ///< gates per sequence of the batch
  Index shared_step;     ///< from one step to the next, where threads exchange them

 private:
  static constexpr Index page = 1024;
};

}  // namespace bptt::fused
