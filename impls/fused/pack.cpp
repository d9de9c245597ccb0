#include "impls/fused/pack.hpp"

namespace bptt::fused {

template <Real T>
void pack_units(const Kernels<T>& kernels, const Geometry& g, Slice slice, const Tiling& tiling,
                Range tiles, const T* w, Index stride, Index k, Index packed_panel, T* packed) {
  const Index L = g.lanes;
  for (Index tile = tiles.begin; tile < tiles.end; ++tile) {
    const Index panel = tiling.begin(tile), panels = tiling.begin(tile + 1) - panel;
    const Index row = panels * slice.vectors * L;
    T* const out = packed + panel * packed_panel;
    for (Index p = 0; p < panels; ++p) {
      for (int v = 0; v < slice.vectors; ++v) {
        const int block = g.cell.block[static_cast<std::size_t>(slice.first + v)];
        kernels.transpose(w + (block * g.shape.H + (panel + p) * L) * stride, stride,
                          g.units(panel + p), k, out + (p * slice.vectors + v) * L, row);
      }
    }
  }
}

template <Real T>
void pack_rows(const Geometry& g, Slice slice, const Tiling& tiling, Range tiles, const T* w,
               Index columns, Index packed_panel, T* packed) {
  const Index L = g.lanes, H = g.shape.H;
  for (Index tile = tiles.begin; tile < tiles.end; ++tile) {
    const Index panel = tiling.begin(tile), width = (tiling.begin(tile + 1) - panel) * L;
    const Index valid = std::min(width, columns - panel * L);
    T* to = packed + panel * packed_panel;
    for (Index p = 0; p < g.unit_panels; ++p) {
      for (int v = 0; v < slice.vectors; ++v) {
        const int block = g.cell.block[static_cast<std::size_t>(slice.first + v)];
        for (Index l = 0; l < g.units(p); ++l, to += width) {
          std::copy_n(w + (block * H + p * L + l) * columns + panel * L, valid, to);
          std::fill_n(to + valid, width - valid, T(0));
        }
      }
    }
  }
}

template void pack_units<float>(const Kernels<float>&, const Geometry&, Slice, const Tiling&, Range,
                                const float*, Index, Index, Index, float*);
template void pack_units<double>(const Kernels<double>&, const Geometry&, Slice, const Tiling&,
                                 Range, const double*, Index, Index, Index, double*);
template void pack_rows<float>(const Geometry&, Slice, const Tiling&, Range, const float*, Index,
                               Index, float*);
template void pack_rows<double>(const Geometry&, Slice, const Tiling&, Range, const double*, Index,
                                Index, double*);

}  // namespace bptt::fused
