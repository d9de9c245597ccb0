// The pointwise work on the rows of a tile, made of the equations in impls/cell: loads, stores and
// sums of bias gradients around them. Compiled per instruction set (hence the toggle instead of
// `#pragma once`); use inside HWY_NAMESPACE only.
#if defined(BPTT_FUSED_POINTWISE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BPTT_FUSED_POINTWISE_INL
#undef BPTT_FUSED_POINTWISE_INL
#else
#define BPTT_FUSED_POINTWISE_INL
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "impls/cell/equations-inl.hpp"
#include "impls/fused/product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace bptt::fused::HWY_NAMESPACE {
namespace eq = bptt::cell::HWY_NAMESPACE;
namespace act = bptt::linalg::HWY_NAMESPACE;

/// Row-major tensors of the caller end with the last unit: no whole vector beyond it.
template <class T>
HWY_INLINE void store_units(Vector<T> value, Index units, T* to) {
  const Tag<T> d;
  if (units >= lanes<T>()) return hn::StoreU(value, d, to);
  HWY_ALIGN T spilled[lanes<T>()];
  hn::Store(value, d, spilled);
  std::copy_n(spilled, units, to);
}
template <class T>
HWY_INLINE Vector<T> load_units(Index units, const T* from) {
  const Tag<T> d;
  if (units >= lanes<T>()) return hn::LoadU(d, from);
  HWY_ALIGN T padded[lanes<T>()] = {};
  std::copy_n(from, units, padded);
  return hn::Load(d, padded);
}

template <class T>
HWY_INLINE void emit_h(const ForwardStep<T>& s, Index row, Vector<T> h) {
  const Tag<T> d;
  if (row < s.keep) hn::Store(h, d, s.h_next.data + row * lanes<T>());
  if (!s.y) return;
  T* const y = s.y.data + s.source[row] * s.y.stride;
  row < s.streamed ? stream_line<T>(h, y) : store_units<T>(h, s.units, y);
}

template <class T>
HWY_INLINE Vector<T> dh_with_dy(const BackwardStep<T>& s, Index row) {
  const Tag<T> d;
  const Vector<T> dh = hn::Load(d, s.dh.data + row * lanes<T>());
  if (!s.dy) return dh;
  return hn::Add(dh, load_units<T>(s.units, s.dy.data + s.source[row] * s.dy.stride));
}

/// The sum of one vector of gradients over the rows of a step: from here, over the rows of a tile,
/// to close_sum.
template <class T>
HWY_INLINE Vector<T> open_sum(const BackwardStep<T>& s, int vector) {
  return hn::Load(Tag<T>(), s.d_bias.data + s.gate_stride + vector * lanes<T>());
}
template <class T>
HWY_INLINE void close_sum(const BackwardStep<T>& s, Index rows, int vector, Vector<T> sum) {
  const Tag<T> d;
  T* const all = s.d_bias.data + vector * lanes<T>();
  T* const step = all + s.gate_stride;
  if (rows == s.rows) {  // the last ones of the step
    hn::Store(hn::Add(hn::Load(d, all), sum), d, all);
    sum = hn::Zero(d);
  }
  hn::Store(sum, d, step);
}

template <Activation phi, class T>
HWY_INLINE void rnn_forward(const ForwardStep<T>& s, Index rows) {
  const Tag<T> d;
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto h = act::activate<phi>(d, hn::Load(d, gates));
    hn::Store(h, d, gates);
    emit_h(s, row, h);
  }
}

template <Activation phi, class T>
HWY_INLINE void rnn_backward(const BackwardStep<T>& s, Index rows) {
  const Tag<T> d;
  Vector<T> sum = open_sum(s, 0);
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto dp = hn::Mul(act::slope<phi>(d, hn::Load(d, gates)), dh_with_dy(s, row));
    hn::Store(dp, d, gates);
    sum = hn::Add(sum, dp);
  }
  close_sum<T>(s, rows, 0, sum);
}

template <class T>
HWY_INLINE void lstm_forward(const ForwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  const auto zero = hn::Zero(d);
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto step = eq::Lstm<Tag<T>>::forward(
        d, eq::PlainLstm(), hn::Load(d, gates), hn::Load(d, gates + L), hn::Load(d, gates + 2 * L),
        hn::Load(d, gates + 3 * L), hn::Load(d, s.c_prev.data + row * L), {zero, zero, zero});
    hn::Store(step.i, d, gates);
    hn::Store(step.f, d, gates + L);
    hn::Store(step.g, d, gates + 2 * L);
    hn::Store(step.o, d, gates + 3 * L);
    hn::Store(step.c, d, s.c.data + row * L);
    emit_h(s, row, step.h);
  }
}

/// tanh(c_t) is computed again: it costs less than keeping it.
template <class T>
HWY_INLINE void lstm_backward(const BackwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  const auto zero = hn::Zero(d);
  Vector<T> sum_i = open_sum(s, 0), sum_f = open_sum(s, 1), sum_g = open_sum(s, 2);
  Vector<T> sum_o = open_sum(s, 3);
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto grad = eq::Lstm<Tag<T>>::backward(
        d, eq::PlainLstm(), hn::Load(d, gates), hn::Load(d, gates + L), hn::Load(d, gates + 2 * L),
        hn::Load(d, gates + 3 * L), hn::Load(d, s.c_prev.data + row * L),
        act::tanh(d, hn::Load(d, s.c.data + row * L)), dh_with_dy(s, row),
        hn::Load(d, s.dc.data + row * L), {zero, zero, zero});
    hn::Store(grad.p_i, d, gates);
    hn::Store(grad.p_f, d, gates + L);
    hn::Store(grad.p_g, d, gates + 2 * L);
    hn::Store(grad.p_o, d, gates + 3 * L);
    hn::Store(grad.c_prev, d, s.dc.data + row * L);
    sum_i = hn::Add(sum_i, grad.p_i);
    sum_f = hn::Add(sum_f, grad.p_f);
    sum_g = hn::Add(sum_g, grad.p_g);
    sum_o = hn::Add(sum_o, grad.p_o);
  }
  close_sum<T>(s, rows, 0, sum_i);
  close_sum<T>(s, rows, 1, sum_f);
  close_sum<T>(s, rows, 2, sum_g);
  close_sum<T>(s, rows, 3, sum_o);
}

/// Where the gates of a gru lie in a row.
inline constexpr int at_n = 0, at_r = 1, at_z = 2, at_q = 3;

template <class T>
HWY_INLINE void gru_forward_gates(const ForwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto r = act::sigmoid(d, hn::Load(d, gates + at_r * L));
    hn::Store(r, d, gates + at_r * L);
    hn::Store(act::sigmoid(d, hn::Load(d, gates + at_z * L)), d, gates + at_z * L);
    hn::Store(hn::Mul(r, hn::Load(d, s.h_prev.data + row * L)), d, s.reset_h.data + row * L);
  }
}

template <GruUpdate update, class T>
HWY_INLINE void gru_forward_candidate(const ForwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto n = act::tanh(d, hn::Load(d, gates + at_n * L));
    hn::Store(n, d, gates + at_n * L);
    emit_h(s, row,
           eq::Gru<Tag<T>>::template forward<update>(d, hn::Load(d, gates + at_z * L), n,
                                                     hn::Load(d, s.h_prev.data + row * L)));
  }
}

template <GruUpdate update, class T>
HWY_INLINE void gru_forward_after(const ForwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto r = act::sigmoid(d, hn::Load(d, gates + at_r * L));
    const auto z = act::sigmoid(d, hn::Load(d, gates + at_z * L));
    const auto n =
        act::tanh(d, hn::MulAdd(r, hn::Load(d, gates + at_q * L), hn::Load(d, gates + at_n * L)));
    hn::Store(n, d, gates + at_n * L);
    hn::Store(r, d, gates + at_r * L);
    hn::Store(z, d, gates + at_z * L);
    emit_h(
        s, row,
        eq::Gru<Tag<T>>::template forward<update>(d, z, n, hn::Load(d, s.h_prev.data + row * L)));
  }
}

template <GruReset reset, GruUpdate update, class T>
HWY_INLINE void gru_backward(const BackwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  Vector<T> sum_n = open_sum(s, at_n), sum_z = open_sum(s, at_z);
  Vector<T> sum_r = hn::Zero(d), sum_q = sum_r;
  if constexpr (reset == GruReset::after_matmul) {
    sum_r = open_sum(s, at_r);
    sum_q = open_sum(s, at_q);
  }
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto grad = eq::Gru<Tag<T>>::template backward<update>(
        d, hn::Load(d, gates + at_z * L), hn::Load(d, gates + at_n * L),
        hn::Load(d, s.h_prev.data + row * L), dh_with_dy(s, row));
    hn::Store(grad.p_n, d, gates + at_n * L);
    hn::Store(grad.p_z, d, gates + at_z * L);
    hn::Store(grad.h_prev, d, s.dh.data + row * L);
    sum_n = hn::Add(sum_n, grad.p_n);
    sum_z = hn::Add(sum_z, grad.p_z);
    if constexpr (reset == GruReset::after_matmul) {
      const auto r = hn::Load(d, gates + at_r * L);
      const auto dr = eq::through_sigmoid(d, r, hn::Mul(grad.p_n, hn::Load(d, gates + at_q * L)));
      const auto dq = hn::Mul(grad.p_n, r);
      hn::Store(dr, d, gates + at_r * L);
      hn::Store(dq, d, gates + at_q * L);
      sum_r = hn::Add(sum_r, dr);
      sum_q = hn::Add(sum_q, dq);
    }
  }
  close_sum<T>(s, rows, at_n, sum_n);
  close_sum<T>(s, rows, at_z, sum_z);
  if constexpr (reset == GruReset::after_matmul) {
    close_sum<T>(s, rows, at_r, sum_r);
    close_sum<T>(s, rows, at_q, sum_q);
  }
}

template <class T>
HWY_INLINE void gru_backward_reset(const BackwardStep<T>& s, Index rows) {
  const Tag<T> d;
  constexpr Index L = lanes<T>();
  Vector<T> sum = open_sum(s, at_r);
  for (Index row = 0; row < rows; ++row) {
    T* const gates = s.gates.data + row * s.gate_stride;
    const auto r = hn::Load(d, gates + at_r * L);
    const auto through = hn::Load(d, s.d_reset_h.data + row * L);
    const auto dr =
        eq::through_sigmoid(d, r, hn::Mul(through, hn::Load(d, s.h_prev.data + row * L)));
    hn::Store(dr, d, gates + at_r * L);
    hn::Store(hn::MulAdd(through, r, hn::Load(d, s.dh.data + row * L)), d, s.dh.data + row * L);
    sum = hn::Add(sum, dr);
  }
  close_sum<T>(s, rows, at_r, sum);
}

/// Into the second level: the first is full of what the products read.
template <class T>
HWY_INLINE void fetch(const T* line) {
  __builtin_prefetch(line, 0, 2);
}
template <class T>
HWY_INLINE void fetch_x(const FetchedRows<T>& of, const Index* source, Index row) {
  if (row < of.rows && of.columns > 0) fetch(of.x.data + source[row + of.distance] * of.x.stride);
}

/// What is fetched along with some rows of a panel: before the work on them, and after it. A core
/// has some two dozen lines on their way at a time, and of more that are asked for at once it drops
/// the others. (Of the first step's c_prev, which lies elsewhere, it is a line before c: no harm.)
template <class T>
HWY_INLINE void fetch_before(const ForwardStep<T>&, Index) {}
template <class T>
HWY_INLINE void fetch_after(const ForwardStep<T>& s, Index rows) {
  for (Index row = 0; row < rows; ++row) fetch_x(s.fetched, s.source, row);
}
template <class T>
HWY_INLINE void fetch_before(const BackwardStep<T>& s, Index rows) {
  if (s.next_rows == 0) return;
  const T* gates = s.gates.data - s.next_rows * s.gate_stride;
  const T* const end = gates + rows * s.gate_stride;
  for (; gates < end; gates += lanes<T>()) fetch(gates);
}
template <class T>
HWY_INLINE void fetch_after(const BackwardStep<T>& s, Index rows) {
  constexpr Index L = lanes<T>();
  if (s.next_rows == 0) return;
  for (Index row = 0; row < rows; ++row) {
    const Index next = row - s.next_rows;
    fetch(s.h_prev.data + next * L);
    if (s.c_prev) fetch(s.c_prev.data + next * L);
    if (s.dy) fetch(s.dy.data + s.source[next] * s.dy.stride);
    fetch_x(s.fetched, s.source, row);
  }
}

/// What is done to the first rows of the first panel, to a whole tile. It may have no panels: that
/// of a thread without units. `fetches`: along with it, what the step says.
template <auto work, bool fetches, class Step>
void on_tile(const Step& step, const StepTile& tile) {
  constexpr Index L = lanes<typename Step::Element>();
  Step s = step;
  s.advance(tile.panel, tile.row, L);
  if constexpr (fetches) s.fetched.advance(tile.panel, tile.row, L);
  for (Index p = 0; p < tile.panels; ++p, s.advance(1, 0, L)) {
    if constexpr (fetches) fetch_before(s, tile.rows);
    work(s, tile.rows);
    if constexpr (fetches) {
      fetch_after(s, tile.rows);
      s.fetched.advance(1, 0, L);
    }
  }
}

template <Activation phi, bool fetches, class T>
Pointwise<T> rnn_pointwise() {
  return {on_tile<rnn_forward<phi, T>, fetches, ForwardStep<T>>, nullptr,
          on_tile<rnn_backward<phi, T>, fetches, BackwardStep<T>>, nullptr};
}
template <bool fetches, class T>
Pointwise<T> rnn_pointwise(Activation phi) {
  using enum Activation;
  switch (phi) {
    case tanh:
      return rnn_pointwise<tanh, fetches, T>();
    case relu:
      return rnn_pointwise<relu, fetches, T>();
    case sigmoid:
      return rnn_pointwise<sigmoid, fetches, T>();
    case leaky_relu:
      return rnn_pointwise<leaky_relu, fetches, T>();
    case identity:
      return rnn_pointwise<identity, fetches, T>();
  }
  return {};
}

template <GruUpdate update, bool fetches, class T>
Pointwise<T> gru_pointwise(GruReset reset) {
  using enum GruReset;
  if (reset == after_matmul) {
    return {on_tile<gru_forward_after<update, T>, fetches, ForwardStep<T>>, nullptr,
            on_tile<gru_backward<after_matmul, update, T>, fetches, BackwardStep<T>>, nullptr};
  }
  // Of a step in two halves, one fetches.
  return {on_tile<gru_forward_gates<T>, false, ForwardStep<T>>,
          on_tile<gru_forward_candidate<update, T>, fetches, ForwardStep<T>>,
          on_tile<gru_backward<before_matmul, update, T>, fetches, BackwardStep<T>>,
          on_tile<gru_backward_reset<T>, false, BackwardStep<T>>};
}

template <bool fetches, class T>
Pointwise<T> pointwise_of(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::rnn:
      return rnn_pointwise<fetches, T>(cell.activation);
    case CellKind::lstm:
      return {on_tile<lstm_forward<T>, fetches, ForwardStep<T>>, nullptr,
              on_tile<lstm_backward<T>, fetches, BackwardStep<T>>, nullptr};
    case CellKind::gru:
      return cell.update == GruUpdate::take
                 ? gru_pointwise<GruUpdate::take, fetches, T>(cell.reset)
                 : gru_pointwise<GruUpdate::keep, fetches, T>(cell.reset);
  }
  return {};
}
template <class T>
Pointwise<T> pointwise(const Cell& cell, bool fetches) {
  return fetches ? pointwise_of<true, T>(cell) : pointwise_of<false, T>(cell);
}

}  // namespace bptt::fused::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
