// What `fused` compiles once per instruction set: register tiles of matrix products and the
// pointwise work on the rows of a tile. A table of functions; the best is chosen at run time.
//
// L, the lanes of a vector of T, is the unit of every layout. Hidden units (and columns of x) come
// in panels of L; an array of panels is [panel][row][vectors * L], so that a row of a panel is
// whole vectors. Lanes beyond the last unit are padding: they hold anything (an infinite x times a
// padded weight, 0, is a NaN), and nothing is ever summed over them.
#pragma once

#include <array>

#include "impls/api/scalar.hpp"
#include "impls/api/spec.hpp"

namespace bptt::fused {

/// The largest register tile of any instruction set.
inline constexpr int max_tile_rows = 8, max_tile_vectors = 4;
/// Lanes of the widest vectors there are.
template <Real T>
inline constexpr Index max_lanes = 64 / static_cast<Index>(sizeof(T));

/// Which elements of a row of the left operand are summed over, in order: `panels` runs of `width`
/// elements, `panel_stride` apart, and then `tails` runs of `tail_width`, `tail_stride` apart. A
/// dense row is one panel.
struct Walk {
  Index panels = 0, width = 0, panel_stride = 0;
  Index tails = 0, tail_width = 0, tail_stride = 0;
  Index count() const { return panels * width + tails * tail_width; }
};

/// C = init + A B for a few rows and vectors of columns.
template <Real T>
struct ProductTile {
  Walk walk;
  std::array<const T*, max_tile_rows> a;  ///< rows of A
  const T* b;                             ///< [walk.count()][vectors * L], packed
  std::array<const T*, max_tile_rows>
      init;  ///< rows of the initial value; init[0] == nullptr: zero
  std::array<Index, max_tile_vectors> init_vector;  ///< where each vector lies in such a row
  std::array<T*, max_tile_rows> c;
  std::array<Index, max_tile_vectors> c_vector;
};
template <Real T>
using ProductKernel = void (*)(const ProductTile<T>&);

/// C (+)= A^T B over k rows of both: some columns of A, up to three vectors of columns of B.
template <Real T>
struct OuterTile {
  static constexpr int max_vectors = 3;
  Index k;
  const T* a;  ///< the first of the columns; rows a_stride apart
  Index a_stride;
  std::array<const T*, max_vectors> b;  ///< rows L apart
  T* c;                                 ///< row-major, rows c_stride apart
  Index c_stride;
  Index columns;  ///< of C, at most vectors * L; no others are written
  bool accumulate;
};
template <Real T>
using OuterKernel = void (*)(const OuterTile<T>&);

/// Rows of one panel in one time step, forward. Row r of an array of single vectors is at r*L, of
/// `gates` at r*gate_stride. The gates of a row, in vectors: rnn h; lstm i,f,g,o; gru n,r,z and,
/// for reset after_matmul, q = W_hn h_{t-1} + b_hn.
template <Real T>
struct ForwardTile {
  Index rows;
  Index units;  ///< of the panel that exist, at most L
  Index keep;   ///< leading rows that live on: h_t goes to h_next for these
  T* gates;     ///< pre-activations in, activations out
  Index gate_stride;
  const T* h_prev;
  T* h_next;
  const T* c_prev;                  ///< lstm
  T* c;                             ///< lstm
  T* reset_h;                       ///< gru, before_matmul: r h_{t-1}
  std::array<T*, max_tile_rows> y;  ///< output at this panel's first unit; y[0] == nullptr: none
};

/// The same, backward. dh comes in without dy.
template <Real T>
struct BackwardTile {
  Index rows;
  Index units;
  T* gates;  ///< activations in, gradients of the pre-activations out
  Index gate_stride;
  const T* h_prev;
  const T* c_prev;     ///< lstm
  const T* c;          ///< lstm
  T* dh;               ///< of h_t in; out: the part for h_{t-1} that goes past the products (gru)
  T* dc;               ///< lstm: of c_t in, of c_{t-1} out
  const T* d_reset_h;  ///< gru, before_matmul, second half: gradient of r h_{t-1}
  std::array<const T*, max_tile_rows> dy;  ///< at this panel's first unit; dy[0] == nullptr: zero
  /// [2][gate_stride], sums of all steps before this one and of the rows of this one. A step's rows
  /// are added one by one, so that sums do not depend on where its tiles begin.
  T* d_bias;
  bool ends_step;  ///< these are the last rows of the step
};

/// The pointwise work of a cell. `second` is set for a gru with reset before_matmul only, whose
/// step has a product between two halves: forward r, z and r h_{t-1}, then n and h_t; backward n
/// and z, then r.
template <Real T>
struct Pointwise {
  void (*forward)(const ForwardTile<T>&);
  void (*forward_second)(const ForwardTile<T>&);
  void (*backward)(const BackwardTile<T>&);
  void (*backward_second)(const BackwardTile<T>&);
};

/// to[at * to_stride + l] = from[l * stride + at] for at < k and l < units; 0 for the lanes beyond.
template <Real T>
using TransposeKernel = void (*)(const T* from, Index stride, Index units, Index k, T* to,
                                 Index to_stride);

template <Real T>
struct Kernels {
  Index lanes;
  /// Rows of the tallest tile for a number of vectors.
  std::array<int, max_tile_vectors + 1> product_rows;
  std::array<std::array<ProductKernel<T>, max_tile_rows + 1>, max_tile_vectors + 1> product;
  int outer_rows;
  std::array<std::array<OuterKernel<T>, max_tile_rows + 1>, OuterTile<T>::max_vectors + 1> outer;
  Pointwise<T> (*pointwise)(const Cell&);
  TransposeKernel<T> transpose;
  const char* instruction_set;  ///< as Highway has it: "AVX3", "AVX2", "NEON"
};

/// Those of the best instruction set this CPU has, or of the one that the environment variable
/// BPTT_INSTRUCTION_SET names, as Highway spells it ("AVX2"). Throws Error(unavailable) where the
/// CPU does not have that.
template <Real T>
const Kernels<T>& kernels();

}  // namespace bptt::fused
