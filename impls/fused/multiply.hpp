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
  /// As ProductTile::stream, for tiles of whole vectors. Where k has several blocks, C holds their
  /// sums on the way and stays in the caches.
  bool stream = false;
  /// The last tile of columns comes first. What of B was used last is still in a cache: a product
  /// that is taken in every step turns round each time.
  bool from_last = false;
};

/// k is cut into blocks of about this many, so that the part of B that a tile of C needs, and the
/// rows of A, stay in the second-level cache.
inline constexpr Index k_block = 1024;

/// For products whose tiles need nothing more.
inline constexpr auto nothing = [](Index, Index, Index, Index) {};

/// Of so few rows, tiles are done so soon that the pointwise work between two of them, a chain of
/// latencies, would hold up the next one: it follows when all tiles are done.
inline constexpr Index few_rows = 2;

/// The tiles `tiles` of rows begin..end. Calls done(first panel, panels, first row, rows) when a
/// tile of C is complete, while it is in the first-level cache, and before(the same) ahead of the
/// multiplications that complete it.
template <Real T, class Done, class Before = decltype(nothing)>
void multiply(const Kernels<T>& kernels, const Product<T>& m, Range tiles, Range rows, Done done,
              Before before = nothing) {
  using Init = typename Product<T>::Init;
  const Index L = kernels.lanes;
  const bool in_one = m.walk.panels * m.walk.width <= k_block;
  const Index block_panels = in_one ? m.walk.panels : std::max<Index>(1, k_block / m.walk.width);
  const Index blocks = in_one ? 1 : divided_up(m.walk.panels, block_panels);
  alignas(64) T spilled[max_tile_rows * max_tile_vectors * max_lanes<T>];
  Tiling row_tiles;
  Index tiled_for = 0;  // panels in a tile

  for (Index next = tiles.begin; next < tiles.end; ++next) {
    const Index tile = m.from_last ? tiles.begin + tiles.end - 1 - next : next;
    const Index panel = m.tiling.begin(tile), panels = m.tiling.begin(tile + 1) - panel;
    const auto vectors = static_cast<std::size_t>(panels * m.vectors);
    const Index columns = m.columns == 0 ? panels * L : std::min(panels * L, m.columns - panel * L);
    const bool cut_short = columns < panels * L;
    const auto& kernel = kernels.product[vectors];
    if (panels != tiled_for) {
      row_tiles = Tiling(rows.end - rows.begin, kernels.product_rows[vectors]);
      tiled_for = panels;
    }
    const T* b = m.b + panel * m.b_panel;
    ProductTile<T> t;
    t.stream = m.stream && blocks == 1 && !cut_short;
    std::size_t vector = 0;
    for (Index p = panel; p < panel + panels; ++p) {
      for (Index v = 0; v < m.vectors; ++v, ++vector) {
        t.c_vector[vector] = cut_short ? static_cast<Index>(vector) * L : p * m.c_panel + v * L;
        t.init_vector[vector] =
            m.init == Init::bias ? p * m.bias_panel + v * L : t.c_vector[vector];
      }
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

      for (Index i = 0, row = rows.begin, count = 0; i < row_tiles.count(); ++i, row += count) {
        count = rows.begin + row_tiles.begin(i + 1) - row;
        for (Index r = 0; r < count; ++r) {
          const auto at = static_cast<std::size_t>(r);
          t.a[at] = m.a[row + r] + first * m.walk.panel_stride;
          t.c[at] = cut_short ? spilled + r * static_cast<Index>(vectors) * L : m.c[row + r];
          t.init[at] = init == Init::zero ? nullptr : init == Init::c ? t.c[at] : m.bias;
          if (cut_short && init == Init::c) {
            std::copy_n(m.c[row + r] + panel * m.c_panel, columns, t.c[at]);
          }
        }
        if (is_last) before(panel, panels, row, count);
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
