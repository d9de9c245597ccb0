#include "verify/self_test/mistaken_textbook.hpp"

#include "verify/self_test/textbook_cells.hpp"

namespace bptt::verify {
namespace {

using namespace textbook_bptt;

template <Scalar T>
Vector<T> row_of(const View<const T>& state, Index b, Index H) {
  if (!state) return Vector<T>(H, T(0));
  return Vector<T>(&state(b, 0), &state(b, 0) + H);
}

template <template <class> class CellOf, Scalar T>
void forward(Sequence<T>& s, const Outputs<T>& out) {
  const bool ignored = s.is(Mistake::initial_state_ignored);
  const std::size_t rows = s.spec.cell.gates() * s.H;
  s.h.push_back(row_of<T>(ignored ? View<const T>() : s.in.h0, s.b, s.H));
  s.c.push_back(row_of<T>(ignored ? View<const T>() : s.in.c0, s.b, s.H));
  for (Index t = 0; t < s.length; ++t) {
    s.h.emplace_back(s.H);
    s.c.emplace_back(s.H);
    s.p.emplace_back(rows);
    s.gate.emplace_back(rows);
    s.product.emplace_back(s.H);
    CellOf<T>::forward(s, t);
  }
  const auto copy = [&](const Vector<T>& from, T* to) { std::copy(from.begin(), from.end(), to); };
  for (Index t = 0; t < s.spec.shape.T; ++t) {
    copy(t < s.length ? s.h[t + 1] : Vector<T>(s.H, T(0)), &out.y(t, s.b, 0));
  }
  if (out.hT) copy(s.h[s.length], &out.hT(s.b, 0));
  if (out.cT) copy(s.c[s.length], &out.cT(s.b, 0));
}

template <template <class> class CellOf, Scalar T>
void backward(const Sequence<T>& s, const OutputGrads<const T>& dout, const Grads<T>& grads) {
  const bool lost = s.is(Mistake::dhT_ignored) ||
                    (s.is(Mistake::dhT_at_last_step_only) && s.length < s.spec.shape.T);
  const bool c_lost = s.is(Mistake::dcT_ignored);
  Carried<T> d{grads,
               row_of<T>(lost ? View<const T>() : dout.hT, s.b, s.H),
               row_of<T>(c_lost ? View<const T>() : dout.cT, s.b, s.H),
               {},
               {}};
  for (Index t = s.length - 1; t >= 0; --t) {
    for (Index j = 0; dout.y && j < s.H; ++j) {
      const T carried = s.is(Mistake::carry_overwritten) ? T(0) : d.dh[j];
      d.dh[j] = carried + dout.y(t, s.b, j);
    }
    d.dh_prev.assign(s.H, T(0));
    d.dc_prev.assign(s.H, T(0));
    CellOf<T>::backward(s, t, d);
    if (s.is(Mistake::truncated_at_half) && t == s.spec.shape.T / 2) {
      d.dh_prev.assign(s.H, T(0));
      d.dc_prev.assign(s.H, T(0));
    }
    d.dh = d.dh_prev;
    d.dc = d.dc_prev;
  }
  const bool ignored = s.is(Mistake::initial_state_ignored);
  for (Index j = 0; j < s.H; ++j) {
    if (grads.h0) grads.h0(s.b, j) = ignored ? T(0) : d.dh[j];
    if (grads.c0) grads.c0(s.b, j) = ignored ? T(0) : d.dc[j];
  }
}

template <template <class> class CellOf, Scalar T>
void run_cell(const Spec& spec, Mistake mistake, const Params<const T>& w,
              const Inputs<const T>& in, const OutputGrads<const T>* dout, const Outputs<T>& out,
              const Grads<T>& grads) {
  for (Index b = 0; b < spec.shape.B; ++b) {
    const Index length = spec.lengths ? in.lengths[static_cast<std::size_t>(b)] : spec.shape.T;
    Sequence<T> s{spec, mistake, w, in, b, length};
    forward<CellOf>(s, out);
    if (dout) backward<CellOf>(s, *dout, grads);
  }
  if (!dout || mistake != Mistake::averaged_over_batch) return;
  for_each(spec, grads.params, [&](const TensorInfo&, const View<T>& view) {
    for (T& value : view) value /= T(static_cast<double>(spec.shape.B));
  });
}

/// to += wrong - right. What the mistake leaves alone keeps its bits.
template <Scalar T>
void add_difference(const View<T>& wrong, const View<T>& right, const View<T>& to) {
  for (Index e = 0; e < to.size(); ++e) {
    if (wrong[e] != right[e]) to[e] += wrong[e] - right[e];
  }
}

/// Tensors of the two problems that `views` has.
template <Scalar T, template <class> class Tensors>
void add_differences(const Spec& spec, const Tensors<T>& wrong, const Tensors<T>& right,
                     const Tensors<T>& to) {
  std::vector<View<T>> wrong_views, right_views;
  for_each(spec, wrong, [&](const TensorInfo&, const View<T>& v) { wrong_views.push_back(v); });
  for_each(spec, right, [&](const TensorInfo&, const View<T>& v) { right_views.push_back(v); });
  std::size_t i = 0;
  for_each(spec, to, [&](const TensorInfo&, const View<T>& view) {
    if (view) add_difference(wrong_views[i], right_views[i], view);
    ++i;
  });
}

}  // namespace

template <Scalar T>
void run_textbook(const Spec& spec, Mistake mistake, const Params<const T>& w,
                  const Inputs<const T>& in, const OutputGrads<const T>* dout,
                  const Outputs<T>& out, const Grads<T>& grads) {
  if (dout) {
    for_each(spec, grads, [](const TensorInfo&, const View<T>& view) {
      std::fill(view.begin(), view.end(), T(0));
    });
  }
  switch (spec.cell.kind) {
    case CellKind::rnn:
      return run_cell<Rnn>(spec, mistake, w, in, dout, out, grads);
    case CellKind::lstm:
      return run_cell<Lstm>(spec, mistake, w, in, dout, out, grads);
    case CellKind::gru:
      return run_cell<Gru>(spec, mistake, w, in, dout, out, grads);
  }
}

template <Scalar T>
void add_mistake(Mistake mistake, FaultContext<T>& c) {
  Problem<T> wrong(c.spec), right(c.spec);
  const OutputGrads<const T>* dout = c.backward ? &c.dout : nullptr;
  run_textbook(c.spec, mistake, c.params, c.in, dout, wrong.out, wrong.grads);
  run_textbook(c.spec, Mistake::none, c.params, c.in, dout, right.out, right.grads);
  if (c.backward) {
    add_differences(c.spec, wrong.grads, right.grads, c.grads);
  } else {
    add_differences(c.spec, wrong.out, right.out, c.out);
  }
}

#define BPTT_INSTANTIATE(T)                                                                        \
  template void run_textbook(const Spec&, Mistake, const Params<const T>&, const Inputs<const T>&, \
                             const OutputGrads<const T>*, const Outputs<T>&, const Grads<T>&);     \
  template void add_mistake(Mistake, FaultContext<T>&)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
BPTT_INSTANTIATE(long double);
BPTT_INSTANTIATE(std::complex<double>);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
