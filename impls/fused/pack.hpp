// Packing of the weights, anew in every call: they change with every training step.
#pragma once

#include "impls/fused/layout.hpp"

namespace bptt::fused {

/// Elements that a column panel takes in a packed right operand of at most `k` rows. A tile begins
/// where its first panel does, also while fewer rows are packed: tiles belong to different threads.
inline Index packed_panel(Index k, int vectors, Index lanes) {
  return checked_product({k, vectors, lanes}, "packed weights");
}

/// Forward. For each tile of unit panels: [k][panel][vector][lane] = w[block(vector)*H + unit, k].
/// w is [G*H, k], rows `stride` apart; units beyond H are zero.
template <Real T>
void pack_units(const Kernels<T>&, const Geometry&, Slice, const Tiling&, Range tiles, const T* w,
                Index stride, Index k, Index packed_panel, T* packed);

/// Backward. For each tile of column panels: [gate row][panel][lane] = w[gate row, column], the
/// gate rows in the order of Geometry::gate_walk; columns beyond `columns` are zero. w is [G*H,
/// columns].
template <Real T>
void pack_rows(const Geometry&, Slice, const Tiling&, Range tiles, const T* w, Index columns,
               Index packed_panel, T* packed);

}  // namespace bptt::fused
