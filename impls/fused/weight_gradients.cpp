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

/// The rows of a part that are on the tape, to some columns of the weights' gradients. Whether
/// there were any.
template <Real T>
bool Schedule<T>::add_rows(Index part, const Inputs<const T>& in, Range x_panels, Range h_panels,
                           const Params<T>& sums, bool accumulate, T* block) const {
  const Index L = g_.lanes;
  const Index begin = parts_.tape_row(part, parts_.from());
  const Index all = parts_.tape_row(part, parts_.to()) - begin;
  for (Index done = 0; done < all; done += input_block_.rows) {
    const Index row = begin + done, rows = std::min(input_block_.rows, all - done);
    for (Index p = x_panels.begin; sums.weight_ih && p < x_panels.end; p += input_block_.panels) {
      const Range panels{p, std::min(p + input_block_.panels, x_panels.end)};
      pack_inputs(in, row, rows, panels, block);
      outer_products(g_.cell.input, row, rows, block, input_block_.panel, panels, sums.weight_ih,
                     accumulate);
    }
    if (sums.weight_hh && h_panels.begin < h_panels.end) {
      const T* const h = h_prev(part, parts_.from()) + h_panels.begin * g_.state_panel;
      outer_products(g_.cell.hidden, row, rows, h + done * L, g_.state_panel, h_panels,
                     sums.weight_hh, accumulate);
      if (reset_h_) {
        outer_products(g_.cell.reset, row, rows,
                       reset_h_ + h_panels.begin * g_.tape_panel + row * L, g_.tape_panel, h_panels,
                       sums.weight_hh, accumulate);
      }
    }
    accumulate = true;
  }
  return all > 0;
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

/// Adds what is on the tape: each member all that its own parts have, which lies in its caches; or
/// all rows to its own columns. No two members write the same element.
template <Real T>
void Schedule<T>::weight_gradients(const Inputs<const T>& in, const Params<T>& grads,
                                   bool accumulate, const Member& member) {
  const auto clear = [](const Params<T>& sums) {
    for (const View<T>& dw : {sums.weight_ih, sums.weight_hh})
      std::fill(dw.begin(), dw.end(), T(0));
  };
  T* const block = x_block_ + member.rank() * input_block_.panels * input_block_.panel;
  const auto sum_up = [&](Index part, const Member& crew) {
    const Params<T> sums = sums_of(part, grads);
    const bool any = add_rows(part, in, crew.share(g_.input_panels), crew.share(g_.unit_panels),
                              sums, accumulate, block);
    if (!any && !accumulate && crew.rank() == 0) clear(sums);
  };
  if (sums_own_rows(member)) return for_parts(member, sum_up);
  for (Index part = 0; part < parts_.count(); ++part) {
    if (sums_ != nullptr) {
      sum_up(part, member);
    } else {
      accumulate |= add_rows(part, in, member.share(g_.input_panels), member.share(g_.unit_panels),
                             grads, accumulate, block);
    }
  }
  if (sums_ == nullptr && !accumulate && member.rank() == 0) clear(grads);
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
            total += d_bias_[(part * g_.unit_panels + p) * 2 * g_.gate_row + v * L + l];
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
