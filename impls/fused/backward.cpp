// Backward through time.
#include <hwy/cache_control.h>

#include "impls/fused/pack.hpp"
#include "impls/fused/schedule.hpp"

namespace bptt::fused {

template <Real T>
void Schedule<T>::pack_backward(const Params<const T>& w, const Grads<T>& grads,
                                const Member& member) {
  const auto pack = [&](const Packed<T>& to, const View<const T>& from, Index columns,
                        bool inputs) {
    if (to.slice.vectors == 0) return;
    pack_rows(g_, to.slice, to.tiling, tiles_to_pack(to, inputs, member), from.data(), columns,
              to.panel, to.of(member));
  };
  if (packs(member)) {
    pack(w_back_, w.weight_hh, spec_.shape.H, false);
    pack(w_back_reset_, w.weight_hh, spec_.shape.H, false);
    if (grads.x) pack(w_back_input_, w.weight_ih, spec_.shape.I, true);
  }
  for_parts(member, [&](Index part, const Member& crew) {
    const Range panels = crew.share(g_.unit_panels);
    std::fill_n(d_bias_ + part * g_.part_bias + panels.begin * 2 * g_.gate_row,
                (panels.end - panels.begin) * 2 * g_.gate_row, T(0));
  });
}

/// A row that is not alive yet, going backward, waits with the gradient of its final state.
template <Real T>
void Schedule<T>::gather_gradients(Index part, const OutputGrads<const T>& dout,
                                   const Member& crew) {
  const Index L = g_.lanes;
  const auto gather = [&](const View<const T>& from, T* array) {
    if (array == nullptr) return;
    const Range panels = crew.share(g_.unit_panels);
    for (Index p = panels.begin; p < panels.end; ++p) {
      T* to = gradients_of(array, part) + p * g_.part_panel;
      for (Index row = 0; row < parts_.sequences(part); ++row, to += L) {
        std::fill_n(to, L, T(0));
        if (from) std::copy_n(&from(parts_.sequence(part, row), p * L), g_.units(p), to);
      }
    }
  };
  gather(dout.hT, dh_);
  gather(dout.cT, dc_);
}

template <Real T>
void Schedule<T>::scatter_gradients(Index part, const Grads<T>& grads, const Member& crew) const {
  const Index L = g_.lanes;
  const auto scatter = [&](T* array, const View<T>& to) {
    if (!to) return;
    const Range panels = crew.share(g_.unit_panels);
    for (Index p = panels.begin; p < panels.end; ++p) {
      const T* from = gradients_of(array, part) + p * g_.part_panel;
      for (Index row = 0; row < parts_.sequences(part); ++row, from += L) {
        std::copy_n(from, g_.units(p), &to(parts_.sequence(part, row), p * L));
      }
    }
  };
  scatter(dh_, grads.h0);
  scatter(dc_, grads.c0);
}

template <Real T>
BackwardStep<T> Schedule<T>::backward_step_of(Index part, Index t, const Inputs<const T>& in,
                                              const OutputGrads<const T>& dout) const {
  BackwardStep<T> s;
  s.rows = parts_.rows(part, t);
  s.units = spec_.shape.H;
  s.gate_stride = g_.gate_row;
  s.gates = {gates(part, t), g_.gate_panel};
  s.h_prev = {h_prev(part, t), g_.state_panel};
  s.c_prev = c_prev(part, t);
  if (c_) s.c = {c(part, t), g_.state_panel};
  s.dh = {gradients_of(dh_, part), g_.part_panel};
  if (dc_) s.dc = {gradients_of(dc_, part), g_.part_panel};
  if (d_reset_h_) s.d_reset_h = {gradients_of(d_reset_h_, part), g_.part_panel};
  if (dout.y) s.dy = {dout.y.data(), spec_.shape.H};
  s.source = parts_.source() + parts_.tape_row(part, t);
  s.d_bias = {d_bias_ + part * g_.part_bias, 2 * g_.gate_row};
  if (tape_is_far() && t > parts_.from()) {
    s.next_rows = parts_.rows(part, t - 1);
    // Where threads share dW, others read x than those of the time loop.
    if (partition_.way == Partition::Way::parts) {
      s.fetched = {{in.x.data(), spec_.shape.I}, spec_.shape.I, -s.next_rows, s.rows};
    }
  }
  return s;
}

/// What other threads read of a tile that is done. Of r only, the first of the vectors that h_{t-1}
/// has a share in, where others are still reading n.
template <Real T>
void Schedule<T>::share_backward(const BackwardStep<T>& step, const StepTile& tile, bool only_r,
                                 Index t) const {
  const Index first = only_r ? g_.cell.hidden.first * g_.lanes : 0;
  const Index width = only_r ? g_.lanes : g_.gate_row;
  for (Index p = tile.panel; p < tile.panel + tile.panels; ++p) {
    const T* const from = step.gates.data + p * step.gates.stride + tile.row * g_.gate_row;
    share(from + first, g_.gate_row, width, t, p, tile.row, tile.rows, first);
  }
}

/// dh_{t-1} (+)= dp_t W_hh, for the live rows of step t.
template <Real T>
Product<T> Schedule<T>::recurrent_gradient(Index part, Index t, const Member& crew) const {
  Product<T> m;
  const Operand a = operand(gates(part, t), g_.gate_panel, t);
  m.a = {a.data + g_.cell.hidden.first * g_.lanes, g_.gate_row};
  m.walk = g_.gate_walk(g_.cell.hidden, a.panel);
  m.b = w_back_.of(crew);
  m.b_panel = w_back_.panel;
  m.tiling = w_back_.tiling;
  m.c = {gradients_of(dh_, part), g_.lanes};
  m.c_panel = g_.part_panel;
  // A gru's pointwise work has left there what goes past the products.
  m.init = spec_.cell.kind == CellKind::gru ? Product<T>::Init::c : Product<T>::Init::zero;
  m.from_last = (t & 1) != 0;
  return m;
}

template <Real T>
void Schedule<T>::step_backward(Index part, Index t, bool product_first, const Inputs<const T>& in,
                                const OutputGrads<const T>& dout, const Member& crew) {
  const Index L = g_.lanes, rows = parts_.rows(part, t);
  const Index with_product = product_first ? parts_.rows(part, t + 1) : 0;
  const Range tiles = crew.share(w_back_.tiling.count());
  const BackwardStep<T> step = backward_step_of(part, t, in, dout);
  const auto run = [&](void (*work)(const BackwardStep<T>&, const StepTile&),
                       const StepTile& tile) {
    work(step, tile);
    if (shared_ != nullptr) {
      share_backward(step, tile, work == pointwise_.backward_second, t);
    }
  };
  const auto pointwise = [&](Index panel, Index panels, Index row, Index count) {
    run(pointwise_.backward, {panel, panels, row, count});
  };
  Index done = 0;  // rows
  if (with_product > few_rows) {
    multiply(kernels_, recurrent_gradient(part, t + 1, crew), tiles, {0, with_product}, pointwise);
    done = with_product;
  } else if (with_product > 0) {
    multiply(kernels_, recurrent_gradient(part, t + 1, crew), tiles, {0, with_product}, nothing);
  }
  if (done < rows) {
    const Index panel = w_back_.tiling.begin(tiles.begin);
    pointwise(panel, w_back_.tiling.begin(tiles.end) - panel, done, rows - done);
  }
  crew.meet();
  if (w_back_reset_.slice.vectors == 0) return;

  Product<T> m;
  const Operand a = operand(gates(part, t), g_.gate_panel, t);
  m.a = {a.data + g_.cell.reset.first * L, g_.gate_row};
  m.walk = g_.gate_walk(g_.cell.reset, a.panel);
  m.b = w_back_reset_.of(crew);
  m.b_panel = w_back_reset_.panel;
  m.tiling = w_back_reset_.tiling;
  m.c = {gradients_of(d_reset_h_, part), L};
  m.c_panel = g_.part_panel;
  m.from_last = (t & 1) != 0;
  multiply(kernels_, m, crew.share(m.tiling.count()), {0, rows},
           [&](Index first, Index panels, Index row, Index count) {
             run(pointwise_.backward_second, {first, panels, row, count});
           });
  crew.meet();
}

template <Real T>
void Schedule<T>::input_gradients(Index part, Index from, Index to, const View<T>& dx,
                                  const Member& crew) {
  Product<T> m;
  m.a = {gates_ + g_.cell.input.first * g_.lanes, g_.gate_row};
  m.walk = g_.gate_walk(g_.cell.input, g_.gate_panel);
  m.b = w_back_input_.of(crew);
  m.b_panel = w_back_input_.panel;
  m.tiling = w_back_input_.tiling;
  m.c = {dx.data(), spec_.shape.I, parts_.source()};
  m.c_panel = g_.lanes;
  m.columns = spec_.shape.I;
  m.stream = streams(dx);
  multiply(kernels_, m, crew.share(m.tiling.count()),
           {parts_.tape_row(part, from), parts_.tape_row(part, to)}, nothing);
}

/// dh0, or what a segment hands to the one before it.
template <Real T>
void Schedule<T>::first_state_gradient(Index part, const Grads<T>& grads,
                                       const Member& crew) const {
  const Index from = parts_.from();
  if (from == 0 && !grads.h0) return;
  multiply(kernels_, recurrent_gradient(part, from, crew), crew.share(w_back_.tiling.count()),
           {0, parts_.rows(part, from)}, nothing);
}

template <Real T>
void Schedule<T>::run_backward(Index part, const Inputs<const T>& in,
                               const OutputGrads<const T>& dout, const Grads<T>& grads,
                               RowSums* sums, const Member& crew) {
  const Index from = parts_.from(), to = parts_.to();
  Index done = to;    // steps from here on have their dx
  Index summed = to;  // and are in the weights' gradients
  for (Index t = to - 1; t >= from; --t) {
    step_backward(part, t, t + 1 < to, in, dout, crew);
    if (sums != nullptr && begins_block(part, t, summed)) {
      add_steps(part, in, {t, summed}, *sums);
      summed = t;
    }
    // As many steps as forward takes at once.
    if (!grads.x || (t > from && is_chunk(part, t - 1, done))) continue;
    input_gradients(part, t, done, grads.x, crew);
    done = t;
  }
  first_state_gradient(part, grads, crew);
}

/// One member runs the time loop. The others follow it, with dx and, in short blocks, with dW; what
/// they have not begun when it ends, all do.
template <Real T>
void Schedule<T>::run_backward_ahead(const Inputs<const T>& in, const OutputGrads<const T>& dout,
                                     const Grads<T>& grads, bool accumulate, const Member& member) {
  constexpr Index part = 0;
  const Index from = parts_.from(), to = parts_.to();
  // Calls body(number, dx or else dW, steps) for all that the loop leaves to do, in the order in
  // which it does, while that returns true.
  const auto for_pieces = [&](auto body) {
    int piece = 0;
    Index done = to, summed = to;
    for (Index t = to - 1; t >= from; --t) {
      if (grads.x && (t == from || !is_chunk(part, t - 1, done))) {
        if (!body(piece++, true, Range{t, done})) return;
        done = t;
      }
      if (partition_.short_blocks && begins_block(part, t, summed)) {
        if (!body(piece++, false, Range{t, summed})) return;
        summed = t;
      }
    }
  };
  const auto work = [&](bool dx, Range steps, RowSums& sums, const Member& crew) {
    dx ? input_gradients(part, steps.begin, steps.end, grads.x, crew)
       : add_steps(part, in, steps, sums);
  };

  if (member.rank() == 0) backlog_.open(to);
  member.meet();
  if (member.rank() == 0) {
    Index t = to;
    const auto loop_to = [&](Index step) {
      for (; t > step; --t) step_backward(part, t - 1, t < to, in, dout, member.alone());
    };
    for_pieces([&](int, bool, Range steps) {
      loop_to(steps.begin);
      if (t > from) backlog_.reach(t);
      return true;
    });
    loop_to(from);
    first_state_gradient(part, grads, member.alone());
    backlog_.close(from);
  } else {
    const Member others = member.of_the_others();
    RowSums sums = row_sums(part, grads.params, accumulate, others);
    for_pieces([&](int piece, bool dx, Range steps) {
      if (!backlog_.begin(piece, steps.begin)) return false;
      work(dx, steps, sums, others);
      return true;
    });
  }
  member.meet();
  RowSums sums = row_sums(part, grads.params, accumulate, member);
  for_pieces([&, begun = backlog_.begun()](int piece, bool dx, Range steps) {
    if (piece >= begun) {
      work(dx, steps, sums, member);
    } else if (!dx && parts_.offset(part, steps.begin) < parts_.offset(part, steps.end)) {
      sums.any = true;
    }
    return true;
  });
  if (!partition_.short_blocks) return weight_gradients(in, grads.params, accumulate, member);
  if (member.rank() == 0) clear_empty(sums);
}

template <Real T>
void Schedule<T>::backward(const Params<const T>& w, const Inputs<const T>& in,
                           const OutputGrads<const T>& dout, const Grads<T>& grads,
                           const Member& member) {
  pack_backward(w, grads, member);
  for_parts(member, [&](Index part, const Member& crew) { gather_gradients(part, dout, crew); });
  if (packs_for_all()) member.meet();
  const Index last = segments_.count() - 1;
  for (Index segment = last; segment >= 0; --segment) {
    if (segment != last) {
      enter(segment, member);
      for_parts(member,
                [&](Index part, const Member& crew) { run_forward(part, w, in, nullptr, crew); });
    }
    const bool accumulate = segment != last;
    if (loops_alone(member)) {
      run_backward_ahead(in, dout, grads, accumulate, member);
    } else if (sums_own_rows(member)) {
      for_parts(member, [&](Index part, const Member& crew) {
        RowSums sums = row_sums(part, grads.params, accumulate, crew);
        run_backward(part, in, dout, grads, &sums, crew);
        clear_empty(sums);
      });
    } else {
      for_parts(member, [&](Index part, const Member& crew) {
        run_backward(part, in, dout, grads, nullptr, crew);
      });
      member.meet();
      weight_gradients(in, grads.params, accumulate, member);
    }
  }
  if (sums_ != nullptr) {
    member.meet();
    add_sums(grads.params, member);
  }
  for_parts(member, [&](Index part, const Member& crew) {
    scatter_gradients(part, grads, crew);
    fill_padding(part, grads.x, crew);
  });
  if (member.rank() == 0) bias_gradients(grads.params);
  hwy::FlushStream();
}

template class Schedule<float>;
template class Schedule<double>;

}  // namespace bptt::fused
