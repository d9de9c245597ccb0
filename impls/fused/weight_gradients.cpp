// dW_ih, dW_hh and the biases' gradients, over all rows on the tape.
#include "impls/fused/schedule.hpp"

namespace bptt::fused {

/// x of tape rows row..row+rows as panels of L columns.
template <Real T>
void Schedule<T>::pack_inputs(const Inputs<const T>& in, Index row, Index rows, Range panels,
                              T* block) const {
  const Index L = g_.lanes, I = spec_.shape.I;
  for (Index r = 0; r < rows; ++r) {
    const T* const x = in.x.data() + parts_.source()[row + r] * I;
    T* to = block + r * L;
    for (Index p = panels.begin; p < panels.end; ++p, to += input_block_.panel) {
      const Index count = std::min(L, I - p * L);
      std::copy_n(x + p * L, count, to);
      std::fill_n(to + count, L - count, T(0));
    }
  }
}

/// dw[gate row, column] (+)= sum over rows of the tape dp[row, gate row] b[row, column], for the
/// columns of some panels; b points to the first row of the first of them.
template <Real T>
void Schedule<T>::outer_products(Slice slice, Index row, Index rows, const T* b, Index b_panel,
                                 Range panels, const View<T>& dw, bool accumulate) const {
  const Index L = g_.lanes, columns = dw.extents()[1];
  const Tiling strips(panels.end - panels.begin, OuterTile<T>::max_vectors);
  OuterTile<T> tile;
  tile.k = rows;
  tile.a_stride = g_.gate_row;
  tile.c_stride = columns;
  tile.accumulate = accumulate;
  for (Index p = 0; p < g_.unit_panels; ++p) {
    const Tiling lanes(g_.units(p), kernels_.outer_rows);
    for (Index strip = 0; strip < strips.count(); ++strip) {
      const Index first = strips.begin(strip), vectors = strips.begin(strip + 1) - first;
      const Index column = (panels.begin + first) * L;
      for (Index v = 0; v < vectors; ++v) {
        tile.b[static_cast<std::size_t>(v)] = b + (first + v) * b_panel;
      }
      tile.columns = std::min(vectors * L, columns - column);
      const auto& kernel = kernels_.outer[static_cast<std::size_t>(vectors)];
      for (int v = slice.first; v < slice.first + slice.vectors; ++v) {
        const Index gate_row = g_.cell.block[static_cast<std::size_t>(v)] * spec_.shape.H + p * L;
        const T* const a = gates_ + p * g_.gate_panel + row * g_.gate_row + v * L;
        for (Index i = 0; i < lanes.count(); ++i) {
          const Index lane = lanes.begin(i);
          tile.a = a + lane;
          tile.c = dw.data() + (gate_row + lane) * columns + column;
          kernel[static_cast<std::size_t>(lanes.begin(i + 1) - lane)](tile);
        }
      }
    }
  }
}

/// A sum over many rows is taken in blocks of whole steps, the last one first as backward comes by:
/// whether step t begins one that ends before `end`.
template <Real T>
bool Schedule<T>::begins_block(Index part, Index t, Index end) const {
  return t == parts_.from() || parts_.offset(part, end) - parts_.offset(part, t - 1) > block_rows_;
}

template <Real T>
void Schedule<T>::add_steps(Index part, const Inputs<const T>& in, Range steps,
                            RowSums& sums) const {
  const Index L = g_.lanes;
  const Index begin = parts_.tape_row(part, steps.begin);
  const Index all = parts_.tape_row(part, steps.end) - begin;
  // A single step may have more rows than a block.
  for (Index done = 0; done < all; done += input_block_.rows) {
    const Index row = begin + done, rows = std::min(input_block_.rows, all - done);
    const Range x = sums.x_panels, h = sums.h_panels;
    for (Index p = x.begin; sums.to.weight_ih && p < x.end; p += input_block_.panels) {
      const Range panels{p, std::min(p + input_block_.panels, x.end)};
      pack_inputs(in, row, rows, panels, sums.block);
      outer_products(g_.cell.input, row, rows, sums.block, input_block_.panel, panels,
                     sums.to.weight_ih, sums.any);
    }
    if (sums.to.weight_hh && h.begin < h.end) {
      const T* const states = h_prev(part, steps.begin) + h.begin * g_.state_panel;
      outer_products(g_.cell.hidden, row, rows, states + done * L, g_.state_panel, h,
                     sums.to.weight_hh, sums.any);
      if (reset_h_) {
        outer_products(g_.cell.reset, row, rows, reset_h_ + h.begin * g_.tape_panel + row * L,
                       g_.tape_panel, h, sums.to.weight_hh, sums.any);
      }
    }
    sums.any = true;
  }
}

/// All rows of a part that are on the tape.
template <Real T>
void Schedule<T>::add_part(Index part, const Inputs<const T>& in, RowSums& sums) const {
  Index end = parts_.to();
  for (Index t = end - 1; t >= parts_.from(); --t) {
    if (!begins_block(part, t, end)) continue;
    add_steps(part, in, {t, end}, sums);
    end = t;
  }
}

/// Where a part sums up: the first one in the gradients themselves.
template <Real T>
Params<T> Schedule<T>::sums_of(Index part, const Params<T>& grads) const {
  if (part == 0) return grads;
  const Index H = spec_.shape.H, rows = spec_.cell.gates() * H;
  T* const dw_ih = sums_ + (part - 1) * rows * (spec_.shape.I + H);
  Params<T> sums;
  if (grads.weight_ih) sums.weight_ih = {dw_ih, grads.weight_ih.extents()};
  if (grads.weight_hh) {
    sums.weight_hh = {dw_ih + rows * spec_.shape.I, grads.weight_hh.extents()};
  }
  return sums;
}

template <Real T>
void Schedule<T>::clear_empty(const RowSums& sums) {
  if (sums.any) return;
  for (const View<T>& dw : {sums.to.weight_ih, sums.to.weight_hh}) {
    std::fill(dw.begin(), dw.end(), T(0));
  }
}

/// The member's share of the columns.
template <Real T>
typename Schedule<T>::RowSums Schedule<T>::row_sums(Index part, const Params<T>& grads, bool any,
                                                    const Member& member) const {
  return {sums_of(part, grads), member.share(g_.input_panels), member.share(g_.unit_panels), any,
          x_block_ + member.place() * input_block_.panels * input_block_.panel};
}

/// Adds what is on the tape, all rows to each member's columns. No two members write the same
/// element.
template <Real T>
void Schedule<T>::weight_gradients(const Inputs<const T>& in, const Params<T>& grads,
                                   bool accumulate, const Member& member) {
  for (Index part = 0; part < parts_.count(); ++part) {
    const bool own = sums_ != nullptr;
    RowSums sums = row_sums(own ? part : 0, grads, accumulate, member);
    add_part(part, in, sums);
    const bool last = own || part + 1 == parts_.count();
    if (last && member.rank() == 0) clear_empty(sums);
    if (!own) accumulate = sums.any;
  }
}

/// The sums of all parts to the first one's, in order.
template <Real T>
void Schedule<T>::add_sums(const Params<T>& grads, const Member& member) const {
  const auto add = [&](const View<T>& to, const View<T>& from) {
    const Range elements = member.share(to.size());
    for (Index i = elements.begin; i < elements.end; ++i) to[i] += from[i];
  };
  for (Index part = 1; part < parts_.count(); ++part) {
    const Params<T> sums = sums_of(part, grads);
    add(grads.weight_ih, sums.weight_ih);
    add(grads.weight_hh, sums.weight_hh);
  }
}

template <Real T>
void Schedule<T>::bias_gradients(const Params<T>& grads) const {
  const Index L = g_.lanes, H = spec_.shape.H;
  const auto sum = [&](Slice slice, const View<T>& to) {
    for (int v = slice.first; to && v < slice.first + slice.vectors; ++v) {
      for (Index p = 0; p < g_.unit_panels; ++p) {
        for (Index l = 0; l < g_.units(p); ++l) {
          T total = 0;
          for (Index part = 0; part < parts_.count(); ++part) {
            total += d_bias_[part * g_.part_bias + p * 2 * g_.gate_row + v * L + l];
          }
          to[g_.cell.block[static_cast<std::size_t>(v)] * H + p * L + l] = total;
        }
      }
    }
  };
  sum(g_.cell.input, grads.bias_ih);
  sum(g_.cell.hidden, grads.bias_hh);
  sum(g_.cell.reset, grads.bias_hh);
}

template class Schedule<float>;
template class Schedule<double>;

}  // namespace bptt::fused
