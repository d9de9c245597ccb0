// A product over many rows and column panels, cut into register tiles: every product of `fused` but
// the weights' gradients.
#pragma once

#include "impls/fused/layout.hpp"

namespace bptt::fused {

/// Rows of a matrix, `stride` apart; through `source`, if given: row r is then row source[r].
template <class T>
struct Rows {
  T* data = nullptr;
  Index stride = 0;
  const Index* source = nullptr;
  T* operator[](Index row) const { return data + (source == nullptr ? row : source[row]) * stride; }
};

/// C = init + A B. B is packed (pack.hpp) in tiles of neighbouring column panels, each panel with
/// `vectors` vectors.
template <Real T>
struct Product {
  Rows<const T> a;
  Walk walk;
  const T* b = nullptr;
  Index b_panel = 0;  ///< elements a column panel has in B, at least walk.count() * vectors * L
  Tiling tiling;      ///< of the column panels
  int vectors = 1;
  Rows<T> c;
  Index c_panel = 0;  ///< from one column panel to the next
  Index columns = 0;  ///< where C is row-major and may end within a vector; else 0
  enum class Init { zero, c, bias } init = Init::zero;
  const T* bias = nullptr;  ///< [panel][bias_panel]
  Index bias_panel = 0;
};

/// k is cut into blocks of about this many, so that the part of B that a tile of C needs, and the
/// rows of A, stay in the second-level cache.
inline constexpr Index k_block = 1024;

/// The tiles `tiles` of rows begin..end. Calls done(first panel, panels, first row, rows) when a
/// tile of C is complete, while it is in the first-level cache.
template <Real T, class Done>
void multiply(const Kernels<T>& kernels, const Product<T>& m, Range tiles, Range rows, Done done) {
  using Init = typename Product<T>::Init;
  const Index L = kernels.lanes;
  const Index block_panels =
      m.walk.width == 0 ? 1 : std::max<Index>(1, k_block / std::max<Index>(1, m.walk.width));
  const Index blocks = std::max<Index>(1, divided_up(m.walk.panels, block_panels));
  alignas(64) T spilled[max_tile_rows * max_tile_vectors * max_lanes<T>];

  for (Index tile = tiles.begin; tile < tiles.end; ++tile) {
    const Index panel = m.tiling.begin(tile), panels = m.tiling.begin(tile + 1) - panel;
    const auto vectors = static_cast<std::size_t>(panels * m.vectors);
    const Index columns = m.columns == 0 ? panels * L : std::min(panels * L, m.columns - panel * L);
    const bool cut_short = columns < panels * L;
    const auto& kernel = kernels.product[vectors];
    const T* b = m.b + panel * m.b_panel;
    ProductTile<T> t;
    for (Index v = 0; v < panels * m.vectors; ++v) {
      const Index in_panel = v % m.vectors * L, of = v / m.vectors;
      t.c_vector[static_cast<std::size_t>(v)] =
          cut_short ? v * L : (panel + of) * m.c_panel + in_panel;
      t.init_vector[static_cast<std::size_t>(v)] = m.init == Init::bias
                                                       ? (panel + of) * m.bias_panel + in_panel
                                                       : t.c_vector[static_cast<std::size_t>(v)];
    }
    for (Index block = 0; block < blocks; ++block) {
      const Index first = block * block_panels;
      const bool is_last = block == blocks - 1;
      t.walk = m.walk;
      t.walk.panels = std::min(block_panels, m.walk.panels - first);
      if (!is_last) t.walk.tails = 0;
      t.b = b;
      b += t.walk.count() * static_cast<Index>(vectors) * L;
      const auto init = block > 0 ? Init::c : m.init;
      if (block > 0) t.init_vector = t.c_vector;

      const Tiling row_tiles{rows.end - rows.begin, kernels.product_rows[vectors]};
      for (Index i = 0; i < row_tiles.count(); ++i) {
        const Index row = rows.begin + row_tiles.begin(i);
        const Index count = row_tiles.begin(i + 1) - row_tiles.begin(i);
        for (Index r = 0; r < count; ++r) {
          const auto at = static_cast<std::size_t>(r);
          t.a[at] = m.a[row + r] + first * m.walk.panel_stride;
          t.c[at] = cut_short ? spilled + r * static_cast<Index>(vectors) * L : m.c[row + r];
          t.init[at] = init == Init::zero ? nullptr : init == Init::c ? t.c[at] : m.bias;
          if (cut_short && init == Init::c) {
            std::copy_n(m.c[row + r] + panel * m.c_panel, columns, t.c[at]);
          }
        }
        kernel[static_cast<std::size_t>(count)](t);
        if (cut_short) {
          for (Index r = 0; r < count; ++r) {
            std::copy_n(t.c[static_cast<std::size_t>(r)], columns,
                        m.c[row + r] + panel * m.c_panel);
          }
        }
        if (is_last) done(panel, panels, row, count);
      }
    }
  }
}

}  // namespace bptt::fused
