// Forward through time.
#include <hwy/cache_control.h>

#include "impls/fused/pack.hpp"
#include "impls/fused/schedule.hpp"
#include "impls/linalg/prefetch.hpp"

namespace bptt::fused {
namespace {

/// Chunks of steps have about this many bytes of pre-activations, which should still be in a cache
/// when the time loop reads them, but not fewer rows than make reading W_ih worth while.
constexpr Index chunk_bytes = Index{512} << 10;
constexpr Index chunk_rows_at_least = 192;

template <Real T>
void copy_or_zero(const View<const T>& from, Index row, Index begin, Index count, Index lanes,
                  T* to) {
  from ? std::copy_n(&from(row, begin), count, to) : std::fill_n(to, count, T(0));
  std::fill_n(to + count, lanes - count, T(0));
}

}  // namespace

template <Real T>
Range Schedule<T>::tiles_to_pack(const Packed<T>& of, bool for_inputs, const Member& member) const {
  const Index tiles = of.tiling.count();
  if (!packs_for_all()) return {0, tiles};
  if (!loops_alone(member)) return member.share(tiles);
  if (for_inputs) return member.rank() == 0 ? Range{} : member.of_the_others().share(tiles);
  return member.rank() == 0 ? Range{0, tiles} : Range{};
}

template <Real T>
void Schedule<T>::pack_forward(const Params<const T>& w, const Member& member) {
  if (!packs(member)) return;
  const auto pack = [&](const Packed<T>& to, const View<const T>& from, Index k, bool inputs) {
    if (to.slice.vectors == 0) return;
    pack_units(kernels_, g_, to.slice, to.tiling, tiles_to_pack(to, inputs, member), from.data(), k,
               k, to.panel, to.of(member));
  };
  if (spec_.shape.I <= most_inputs_packed) pack(w_input_, w.weight_ih, spec_.shape.I, true);
  pack(w_hidden_, w.weight_hh, spec_.shape.H, false);
  pack(w_reset_, w.weight_hh, spec_.shape.H, false);

  // Of h_{t-1}'s vectors that x has no share in, the bias is of the recurrent product alone.
  const Index L = g_.lanes, H = spec_.shape.H;
  const auto in = [](const Slice& slice, int v) {
    return v >= slice.first && v < slice.first + slice.vectors;
  };
  const Range panels = (packs_for_all() ? member : member.alone()).share(g_.unit_panels);
  for (Index p = panels.begin; p < panels.end; ++p) {
    T* to = bias_of(member) + p * g_.gate_row;
    for (int v = 0; v < g_.cell.width; ++v, to += L) {
      std::fill_n(to, L, T(0));
      if (!spec_.cell.bias) continue;
      const Index row = g_.cell.block[static_cast<std::size_t>(v)] * H + p * L;
      for (Index l = 0; l < g_.units(p); ++l) {
        if (in(g_.cell.input, v)) to[l] += w.bias_ih[row + l];
        if (in(g_.cell.hidden, v) || in(g_.cell.reset, v)) to[l] += w.bias_hh[row + l];
      }
    }
  }
}

template <Real T>
void Schedule<T>::gather_states(const Inputs<const T>& in, const Member& member) {
  const Index L = g_.lanes;
  for_parts(member, [&](Index part, const Member& crew) {
    const Range panels = crew.share(g_.unit_panels);
    for (Index row = 0; row < parts_.rows(part, 0); ++row) {
      const Index b = parts_.sequence(part, row);
      for (Index p = panels.begin; p < panels.end; ++p) {
        T* const h = h_first_ ? states_of(h_first_, part) + p * g_.first_panel
                              : h_prev(part, 0) + p * g_.state_panel;
        copy_or_zero(in.h0, b, p * L, g_.units(p), L, h + row * L);
        if (c_) {
          copy_or_zero(in.c0, b, p * L, g_.units(p), L,
                       states_of(c_first_, part) + p * g_.first_panel + row * L);
        }
      }
    }
  });
}

template <Real T>
bool Schedule<T>::is_chunk(Index part, Index from, Index to) const {
  if (to == from + 1) return true;
  const Index row_bytes =
      std::max(g_.gate_row * g_.unit_panels, spec_.shape.I) * static_cast<Index>(sizeof(T));
  const Index limit = partition_.way == Partition::Way::ahead
                          ? std::max(rows_ahead, steps_ahead_at_least * spec_.shape.B)
                          : std::max(chunk_rows_at_least, chunk_bytes / row_bytes);
  return parts_.offset(part, to) - parts_.offset(part, from) <= limit;
}

template <Real T>
Index Schedule<T>::chunk_end(Index part, Index step) const {
  Index end = step + 1;
  while (end < parts_.to() && is_chunk(part, step, end + 1)) ++end;
  return end;
}

/// While a thread goes through the steps of a chunk, it fetches x of the next one; as the chunk's
/// first step begins.
template <Real T>
FetchedRows<T> Schedule<T>::x_of_next_chunk(Index part, Range chunk,
                                            const Inputs<const T>& in) const {
  if (!tape_is_far() || partition_.way != Partition::Way::parts || chunk.end == parts_.to()) {
    return {};
  }
  const Index next = parts_.offset(part, chunk.end);
  return {{in.x.data(), spec_.shape.I},
          spec_.shape.I,
          next - parts_.offset(part, chunk.begin),
          parts_.offset(part, chunk_end(part, chunk.end)) - next};
}

/// The input's part of the pre-activations of steps from..to, biases included.
template <Real T>
void Schedule<T>::hoist_inputs(Index part, const Params<const T>& w, const Inputs<const T>& in,
                               Index from, Index to, const Member& crew) {
  const Index I = spec_.shape.I, L = g_.lanes;
  const Slice slice = g_.cell.input;
  const Range rows{parts_.tape_row(part, from), parts_.tape_row(part, to)};
  const Range tiles = crew.share(w_input_.tiling.count());
  const T* const biases = bias_of(crew);
  Product<T> m;
  m.b = w_input_.of(crew);
  m.b_panel = w_input_.panel;
  m.tiling = w_input_.tiling;
  m.vectors = slice.vectors;
  m.c = {gates_ + slice.first * L, g_.gate_row};
  m.c_panel = g_.gate_panel;
  m.init = Product<T>::Init::bias;
  m.bias = biases + slice.first * L;
  m.bias_panel = g_.gate_row;
  const int only_hidden = slice.first + slice.vectors;
  const auto done = [&](Index panel, Index panels, Index row, Index count) {
    if (only_hidden == g_.cell.width) return;
    for (Index p = panel; p < panel + panels; ++p) {
      const T* const bias = biases + p * g_.gate_row + only_hidden * L;
      T* const gates = gates_ + p * g_.gate_panel + only_hidden * L;
      for (Index r = row; r < row + count; ++r) std::copy_n(bias, L, gates + r * g_.gate_row);
    }
  };
  for (Index first = 0; first < I; first += most_inputs_packed) {
    const Index count = std::min(most_inputs_packed, I - first);
    if (I > most_inputs_packed) {
      pack_units(kernels_, g_, slice, w_input_.tiling, tiles, w.weight_ih.data() + first, I, count,
                 w_input_.panel, w_input_.of(crew));
    }
    m.a = {in.x.data() + first, I, parts_.source()};
    const Index width = std::min(count, k_block);
    m.walk = {count / width, width, width, count % width > 0 ? 1 : 0, count % width, 0};
    multiply(kernels_, m, tiles, rows, done);
    m.init = Product<T>::Init::c;
  }
}

/// Hands a sequence's states at its own end to the caller.
template <Real T>
void Schedule<T>::emit_ends(Index part, Index t, Index panel, Index row, Index rows,
                            const Outputs<T>& out) {
  const Index L = g_.lanes, units = g_.units(panel);
  for (Index r = std::max(row, parts_.rows(part, t + 1)); r < row + rows; ++r) {
    const Index b = parts_.sequence(part, r);
    if (out.hT) std::copy_n(&out.y(t, b, panel * L), units, &out.hT(b, panel * L));
    if (out.cT) {
      std::copy_n(c(part, t) + panel * g_.state_panel + r * L, units, &out.cT(b, panel * L));
    }
  }
}

template <Real T>
ForwardStep<T> Schedule<T>::forward_step_of(Index part, Index t, const Outputs<T>* out) const {
  // The last step of a segment leaves its states behind the tape where checkpoints are kept.
  const bool next_held =
      t + 1 < parts_.to() || (recompute_ != Recompute::none && t + 1 < spec_.shape.T);
  ForwardStep<T> s;
  s.rows = parts_.rows(part, t);
  s.units = spec_.shape.H;
  s.gate_stride = g_.gate_row;
  s.gates = {gates(part, t), g_.gate_panel};
  s.h_prev = {h_prev(part, t), g_.state_panel};
  if (next_held) {
    s.keep = parts_.rows(part, t + 1);
    s.h_next = {h_prev(part, t + 1), g_.state_panel};
  }
  s.c_prev = c_prev(part, t);
  if (c_) s.c = {c(part, t), g_.state_panel};
  if (reset_h_) s.reset_h = {reset_h(part, t), g_.tape_panel};
  if (out != nullptr) s.y = {out->y.data(), spec_.shape.H};
  s.source = parts_.source() + parts_.tape_row(part, t);
  return s;
}

/// What other threads read of a tile that is done.
template <Real T>
void Schedule<T>::share_forward(const ForwardStep<T>& step, const StepTile& tile, bool reset_h,
                                Index t) const {
  const Index L = g_.lanes;
  ForwardStep<T> s = step;
  s.advance(tile.panel, tile.row, L);
  const Index living = std::clamp<Index>(s.keep, 0, tile.rows);
  for (Index p = tile.panel; p < tile.panel + tile.panels; ++p, s.advance(1, 0, L)) {
    if (reset_h) {
      share(s.reset_h.data, L, L, t, p, tile.row, tile.rows, L);
    } else if (living > 0) {
      share(s.h_next.data, L, L, t + 1, p, tile.row, living, 0);
    }
  }
}

template <Real T>
void Schedule<T>::step_forward(Index part, Index t, const Outputs<T>* out,
                               const FetchedRows<T>& fetched, const Member& crew) {
  const Index L = g_.lanes, rows = parts_.rows(part, t);
  const bool has_second = w_reset_.slice.vectors > 0;
  const bool some_end = out != nullptr && parts_.rows(part, t + 1) < rows;
  ForwardStep<T> step = forward_step_of(part, t, out);
  step.fetched = fetched;
  // Of those that end here, emit_ends reads y again.
  if (out != nullptr && streams(out->y)) step.streamed = parts_.rows(part, t + 1);
  // Where y is shared, what the hardware fetches ahead for one thread it takes away from another.
  // To get a line back takes as long as a product does.
  const auto claim = [&](Index panel, Index panels, Index row, Index count) {
    if (!shares_rows_ || out == nullptr) return;
    for (Index r = std::max(row, step.streamed); r < row + count; ++r) {
      const T* const y = &out->y(t, parts_.sequence(part, r), panel * L);
      for (Index p = 0; p < panels; ++p) linalg::prefetch_to_write(y + p * L);
    }
  };
  const auto half = [&](const Packed<T>& w, const Operand& a, bool last,
                        void (*work)(const ForwardStep<T>&, const StepTile&)) {
    Product<T> m;
    m.a = {a.data, shared_ ? g_.gate_row : L};
    m.walk = g_.state_walk(a.panel);
    m.b = w.of(crew);
    m.b_panel = w.panel;
    m.tiling = w.tiling;
    m.vectors = w.slice.vectors;
    m.c = {gates(part, t) + w.slice.first * L, g_.gate_row};
    m.c_panel = g_.gate_panel;
    m.init = Product<T>::Init::c;
    m.from_last = (t & 1) != 0;
    const Range tiles = crew.share(w.tiling.count());
    const auto pointwise = [&](Index panel, Index panels, Index row, Index count) {
      const StepTile tile{panel, panels, row, count};
      work(step, tile);
      if (shared_ != nullptr) share_forward(step, tile, !last, t);
      if (last && some_end) {
        for (Index p = panel; p < panel + panels; ++p) emit_ends(part, t, p, row, count, *out);
      }
    };
    if (rows > few_rows) return multiply(kernels_, m, tiles, {0, rows}, pointwise, claim);
    multiply(kernels_, m, tiles, {0, rows}, nothing, claim);
    const Index panel = w.tiling.begin(tiles.begin);
    pointwise(panel, w.tiling.begin(tiles.end) - panel, 0, rows);
  };
  half(w_hidden_, operand(h_prev(part, t), g_.state_panel, t), !has_second, pointwise_.forward);
  crew.meet();
  if (!has_second) return;
  Operand a = operand(reset_h(part, t), g_.tape_panel, t);
  if (shared_) a.data += L;
  half(w_reset_, a, true, pointwise_.forward_second);
  crew.meet();
}

template <Real T>
void Schedule<T>::run_forward(Index part, const Params<const T>& w, const Inputs<const T>& in,
                              const Outputs<T>* out, const Member& crew) {
  if (loops_alone(crew)) return run_forward_ahead(part, w, in, out, crew);
  if (shared_) share_states(part, crew);
  for (Index begin = parts_.from(); begin < parts_.to();) {
    const Index end = chunk_end(part, begin);
    hoist_inputs(part, w, in, begin, end, crew);
    crew.meet();
    FetchedRows<T> fetched = x_of_next_chunk(part, {begin, end}, in);
    for (Index t = begin; t < end; ++t) {
      step_forward(part, t, out, fetched, crew);
      fetched.rows -= parts_.rows(part, t);
    }
    begin = end;
  }
}

template <Real T>
void Schedule<T>::run_forward_ahead(Index part, const Params<const T>& w, const Inputs<const T>& in,
                                    const Outputs<T>* out, const Member& crew) {
  const auto next_chunk = [&](Index begin) {
    return Range{begin, begin < parts_.to() ? chunk_end(part, begin) : begin};
  };
  Range chunk = next_chunk(parts_.from());
  hoist_inputs(part, w, in, chunk.begin, chunk.end, crew);
  crew.meet();
  while (chunk.begin < chunk.end) {
    const Range next = next_chunk(chunk.end);
    if (crew.rank() == 0) {
      for (Index t = chunk.begin; t < chunk.end; ++t) step_forward(part, t, out, {}, crew.alone());
    } else if (next.begin < next.end) {
      hoist_inputs(part, w, in, next.begin, next.end, crew.of_the_others());
    }
    crew.meet();
    chunk = next;
  }
}

/// Makes the tape that of another segment.
template <Real T>
void Schedule<T>::enter(Index segment, const Member& member) {
  if (!recomputes()) return;
  member.meet();
  if (member.rank() == 0) {
    segment_ = segment;
    parts_.hold(segments_.begin(segment), segments_.end(segment),
                recompute_ == Recompute::checkpoint);
  }
  member.meet();
  if (recompute_ != Recompute::checkpoint) return;
  for_parts(member, [&](Index part, const Member& crew) { take_states(part, segment, crew); });
  member.meet();
}

template <Real T>
void Schedule<T>::take_states(Index part, Index segment, const Member& crew) {
  const Index from = segments_.begin(segment), L = g_.lanes;
  const Range panels = crew.share(g_.unit_panels);
  for (Index p = panels.begin; p < panels.end; ++p) {
    std::copy_n(states_of(h_first_ + first_states(segment), part) + p * g_.first_panel,
                parts_.rows(part, from) * L, h_prev(part, from) + p * g_.state_panel);
  }
}

/// The states that the steps on the tape start from, for all threads.
template <Real T>
void Schedule<T>::share_states(Index part, const Member& crew) {
  const Index from = parts_.from();
  const Range panels = crew.share(g_.unit_panels);
  for (Index p = panels.begin; p < panels.end; ++p) {
    share(h_prev(part, from) + p * g_.state_panel, g_.lanes, g_.lanes, from, p, 0,
          parts_.rows(part, from), 0);
  }
}

/// Keeps the states after the segment on the tape, from which the next one starts.
template <Real T>
void Schedule<T>::keep_states(Index part, Index segment, const Member& crew) {
  const Index end = segments_.end(segment), L = g_.lanes, rows = parts_.rows(part, end);
  const Range panels = crew.share(g_.unit_panels);
  const Index next = first_states(segment + 1);
  for (Index p = panels.begin; p < panels.end && rows > 0; ++p) {
    std::copy_n(h_prev(part, end) + p * g_.state_panel, rows * L,
                states_of(h_first_ + next, part) + p * g_.first_panel);
    if (c_) {
      std::copy_n(c(part, end - 1) + p * g_.state_panel, rows * L,
                  states_of(c_first_ + next, part) + p * g_.first_panel);
    }
  }
}

template <Real T>
void Schedule<T>::fill_padding(Index part, const View<T>& of, const Member& crew) const {
  if (!of || parts_.dense()) return;
  const Range steps = crew.share(spec_.shape.T);
  const Index width = of.extents()[2];
  for (Index t = steps.begin; t < steps.end; ++t) {
    for (Index row = parts_.rows(part, t); row < parts_.sequences(part); ++row) {
      std::fill_n(&of(t, parts_.sequence(part, row), 0), width, T(0));
    }
  }
}

/// Sequences of length 0 end where they began.
template <Real T>
void Schedule<T>::emit_unstarted(Index part, const Inputs<const T>& in, const Outputs<T>& out,
                                 const Member& crew) const {
  if (crew.rank() != 0) return;
  const Index H = spec_.shape.H;
  for (Index row = parts_.rows(part, 0); row < parts_.sequences(part); ++row) {
    const Index b = parts_.sequence(part, row);
    if (out.hT) copy_or_zero(in.h0, b, 0, H, H, &out.hT(b, 0));
    if (out.cT) copy_or_zero(in.c0, b, 0, H, H, &out.cT(b, 0));
  }
}

template <Real T>
void Schedule<T>::forward(const Params<const T>& w, const Inputs<const T>& in,
                          const Outputs<T>& out, const Member& member) {
  pack_forward(w, member);
  gather_states(in, member);
  if (packs_for_all()) member.meet();
  for (Index segment = 0; segment < segments_.count(); ++segment) {
    enter(segment, member);
    for_parts(member, [&](Index part, const Member& crew) {
      run_forward(part, w, in, &out, crew);
      if (recompute_ == Recompute::checkpoint && segment + 1 < segments_.count()) {
        keep_states(part, segment, crew);
      }
    });
  }
  for_parts(member, [&](Index part, const Member& crew) {
    fill_padding(part, out.y, crew);
    emit_unstarted(part, in, out, crew);
  });
  hwy::FlushStream();
}

template class Schedule<float>;
template class Schedule<double>;

}  // namespace bptt::fused
