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
  bool stream = false;  ///< C goes past the caches; only where its vectors are whole cache lines
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

/// A panelled array: row r of single vectors is at r*L, of gates at r*gate_stride.
template <class T>
struct Panels {
  T* data = nullptr;
  Index stride = 0;  ///< from panel to panel
  explicit operator bool() const { return data != nullptr; }
  /// Arrays that a cell does not have stay away.
  void advance(Index panels, Index elements) {
    if (data != nullptr) data += panels * stride + elements;
  }
};

/// The caller's tensors [T,B,H]: row r of a step is row source[r] of it.
template <class T>
struct SourceRows {
  T* data = nullptr;
  Index stride = 0;
  explicit operator bool() const { return data != nullptr; }
  void advance(Index elements) {
    if (data != nullptr) data += elements;
  }
};

/// Rows of x that a thread will read later, to be fetched from beyond the caches along with the
/// pointwise work on rows of a step: one line for each row and panel.
template <class T>
struct FetchedRows {
  SourceRows<const T> x;
  Index columns = 0;   ///< from the first panel on
  Index distance = 0;  ///< from a row of the step to the one that is fetched with it
  Index rows = 0;      ///< leading rows of the step that have one

  void advance(Index by_panels, Index by_rows, Index lanes) {
    x.advance(by_panels * lanes);
    columns -= by_panels * lanes;
    rows -= by_rows;
  }
};

/// Some rows of some panels of a step.
struct StepTile {
  Index panel, panels, row, rows;
};

/// A time step of a part, forward: all its rows and panels. The gates of a row, in vectors: rnn h;
/// lstm i,f,g,o; gru n,r,z and, for reset after_matmul, q = W_hn h_{t-1} + b_hn.
template <Real T>
struct ForwardStep {
  using Element = T;
  Index rows = 0;
  Index units = 0;  ///< from the first panel on
  Index keep = 0;   ///< leading rows that live on: h_t goes to h_next for these
  Index gate_stride = 0;
  Panels<T> gates;  ///< pre-activations in, activations out
  Panels<const T> h_prev;
  Panels<T> h_next;
  Panels<const T> c_prev;  ///< lstm
  Panels<T> c;             ///< lstm
  Panels<T> reset_h;       ///< gru, before_matmul: r h_{t-1}
  SourceRows<T> y;         ///< none: null
  /// Leading rows whose y goes past the caches; only where its vectors are whole cache lines.
  Index streamed = 0;
  const Index* source = nullptr;  ///< of the first row
  FetchedRows<T> fetched;         ///< of the next chunk

  /// To other rows and panels, which it then begins with.
  void advance(Index by_panels, Index by_rows, Index lanes) {
    rows -= by_rows;
    units -= by_panels * lanes;
    keep -= by_rows;
    streamed -= by_rows;
    gates.advance(by_panels, by_rows * gate_stride);
    h_prev.advance(by_panels, by_rows * lanes);
    h_next.advance(by_panels, by_rows * lanes);
    c_prev.advance(by_panels, by_rows * lanes);
    c.advance(by_panels, by_rows * lanes);
    reset_h.advance(by_panels, by_rows * lanes);
    y.advance(by_panels * lanes);
    source += by_rows;
  }
};

/// The same, backward. dh comes in without dy.
template <Real T>
struct BackwardStep {
  using Element = T;
  Index rows = 0;
  Index units = 0;  ///< from the first panel on
  Index gate_stride = 0;
  Panels<T> gates;  ///< activations in, gradients of the pre-activations out
  Panels<const T> h_prev;
  Panels<const T> c_prev;     ///< lstm
  Panels<const T> c;          ///< lstm
  Panels<T> dh;               ///< of h_t in; out: what goes past the products to h_{t-1} (gru)
  Panels<T> dc;               ///< lstm: of c_t in, of c_{t-1} out
  Panels<const T> d_reset_h;  ///< gru, before_matmul, second half: gradient of r h_{t-1}
  SourceRows<const T> dy;     ///< zero: null
  const Index* source = nullptr;
  /// [panel][2][gate_stride], sums of all steps before this one and of the rows of this one. A
  /// step's rows are added one by one, so that sums do not depend on where its tiles begin.
  Panels<T> d_bias;
  /// Rows of the step that comes next, the one before in time, if what is read of it is to be
  /// fetched; and of its x, for dW.
  Index next_rows = 0;
  FetchedRows<T> fetched;

  void advance(Index by_panels, Index by_rows, Index lanes) {
    rows -= by_rows;
    units -= by_panels * lanes;
    gates.advance(by_panels, by_rows * gate_stride);
    h_prev.advance(by_panels, by_rows * lanes);
    c_prev.advance(by_panels, by_rows * lanes);
    c.advance(by_panels, by_rows * lanes);
    dh.advance(by_panels, by_rows * lanes);
    dc.advance(by_panels, by_rows * lanes);
    d_reset_h.advance(by_panels, by_rows * lanes);
    dy.advance(by_panels * lanes);
    source += by_rows;
    d_bias.advance(by_panels, 0);
  }
};

/// The pointwise work of a cell. `second` is set for a gru with reset before_matmul only, whose
/// step has a product between two halves: forward r, z and r h_{t-1}, then n and h_t; backward n
/// and z, then r.
template <Real T>
struct Pointwise {
  void (*forward)(const ForwardStep<T>&, const StepTile&);
  void (*forward_second)(const ForwardStep<T>&, const StepTile&);
  void (*backward)(const BackwardStep<T>&, const StepTile&);
  void (*backward_second)(const BackwardStep<T>&, const StepTile&);
};

/// to[at * to_stride + l] = from[l * stride + at] for at < k and l < units; 0 for the lanes beyond.
template <Real T>
using TransposeKernel = void (*)(const T* from, Index stride, Index units, Index k, T* to,
                                 Index to_stride);

template <Real T>
struct Kernels {
  Index lanes;
  int tile_panels;  ///< of one vector each, in the best tile of many rows
  /// Rows of the tallest tile for a number of vectors.
  std::array<int, max_tile_vectors + 1> product_rows;
  std::array<std::array<ProductKernel<T>, max_tile_rows + 1>, max_tile_vectors + 1> product;
  int outer_rows;
  std::array<std::array<OuterKernel<T>, max_tile_rows + 1>, OuterTile<T>::max_vectors + 1> outer;
  /// `fetches`: along with its rows it fetches what the steps say.
  Pointwise<T> (*pointwise)(const Cell&, bool fetches);
  TransposeKernel<T> transpose;
  const char* instruction_set;  ///< as Highway has it: "AVX3", "AVX2", "NEON"

  /// `tile_panels` for so many rows: few leave registers for more panels.
  int tile_panels_of(Index rows) const {
    return rows <= product_rows[max_tile_vectors] ? max_tile_vectors : tile_panels;
  }
};

/// Those of the best instruction set this CPU has, or of the one that the environment variable
/// BPTT_INSTRUCTION_SET names, as Highway spells it ("AVX2"). Throws Error(unavailable) where the
/// CPU does not have that.
template <Real T>
const Kernels<T>& kernels();

}  // namespace bptt::fused
