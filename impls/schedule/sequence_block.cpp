#include "impls/schedule/sequence_block.hpp"

#include <algorithm>

#include "impls/linalg/gemm.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

/// A chunk of pre-activations should still be in a cache when the time loop reads it, the
/// second-level one if it can; but it needs rows enough that a GEMM over it is worth packing W_ih
/// once more, which matters more where both cannot be had.
constexpr Index chunk_bytes = Index{512} << 10;
constexpr Index chunk_rows = 512;

template <Real T>
Index rows_per_chunk(const Spec& spec) {
  // Of the wider of the GEMM's two sides: pre-activations and inputs.
  const Index row_bytes =
      std::max(spec.cell.gates() * spec.shape.H, spec.shape.I) * static_cast<Index>(sizeof(T));
  return std::max(chunk_rows, chunk_bytes / row_bytes);
}

/// The batch's own x and dx are packed as they stand.
template <class Range>
bool is_packed_already(const Spec& spec, const Range& range) {
  return !spec.lengths && range.rows == spec.shape.B;
}

template <Real T>
void copy_or_zero(const View<const T>& from, Index row, Index width, T* to) {
  from ? std::copy_n(&from(row, 0), width, to) : std::fill_n(to, width, T(0));
}

}  // namespace

std::optional<std::string> blas_refusal(const Spec& spec) {
  const auto& s = spec.shape;
  const Index widest = std::max({spec.cell.gates() * s.H, s.I});
  if (linalg::fits_blas(s.T * s.B, widest)) return std::nullopt;
  return "OpenBLAS counts in 32 bits: T*B, I and G*H must each be below 2^31";
}

template <Real T>
typename SequenceBlock<T>::Bookings SequenceBlock<T>::book(WorkspaceLayout& layout,
                                                           const Spec& spec, Range range) {
  const auto& [steps, batch, I, H] = spec.shape;
  const Index G = spec.cell.gates();
  const auto sized = [](std::initializer_list<Index> extents) {
    return checked_product(extents, "workspace");
  };
  const Index packed = sized({steps, range.rows});
  // A step writes its states where the next step's begin, and may have more rows than that one.
  const Index with_slack = checked_sum({packed, range.rows}, "workspace");
  const bool lstm = spec.cell.has_cell_state(), gru = spec.cell.kind == CellKind::gru;
  const auto book_if = [&](bool wanted, Index count) {
    return wanted ? layout.book<T>(count) : Booking<T>{};
  };

  Bookings b;
  b.live = LiveRows::book(layout, steps, range.rows);
  b.gates = layout.book<T>(sized({packed, G, H}));
  b.h_prev = layout.book<T>(sized({with_slack, H}));
  b.c_prev = book_if(lstm, sized({with_slack, H}));
  b.tanh_c = book_if(lstm, sized({packed, H}));
  b.product = book_if(gru, sized({packed, H}));
  b.x = book_if(!is_packed_already(spec, range), sized({packed, I}));
  b.dx = book_if(!is_packed_already(spec, range),
                 sized({std::min(packed, std::max(range.rows, rows_per_chunk<T>(spec))), I}));
  b.dh = layout.book<T>(sized({range.rows, H}));
  b.dc = book_if(lstm, sized({range.rows, H}));
  b.scratch = book_if(gru, sized({range.rows, H}));
  b.bias = layout.book<T>(sized({G, H}));
  return b;
}

template <Real T>
SequenceBlock<T>::SequenceBlock(const Workspace& workspace, const Bookings& bookings,
                                const Spec& spec, Range range)
    : spec_(spec),
      steps_(make_cell_steps<T>(spec.cell)),
      live_(workspace, bookings.live, spec.shape.T, range.first, range.rows),
      x_(workspace.at(bookings.x)),
      dx_(workspace.at(bookings.dx)),
      dh_(workspace.at(bookings.dh)),
      dc_(workspace.at(bookings.dc)),
      scratch_(workspace.at(bookings.scratch)),
      bias_(workspace.at(bookings.bias)) {
  tape_.H = spec.shape.H;
  tape_.G = spec.cell.gates();
  tape_.gates = workspace.at(bookings.gates);
  tape_.h_prev = workspace.at(bookings.h_prev);
  tape_.c_prev = workspace.at(bookings.c_prev);
  tape_.tanh_c = workspace.at(bookings.tanh_c);
  tape_.product = workspace.at(bookings.product);
}

template <Real T>
void SequenceBlock<T>::copy_rows(Index t, const T* packed, const View<T>& whole) const {
  const Index width = whole.extents()[2], count = live_.count(t);
  if (live_.dense()) {
    std::copy_n(packed, count * width, &whole(t, live_.order(0), 0));
    return;
  }
  for (Index row = 0; row < live_.rows(); ++row) {
    T* to = &whole(t, live_.order(row), 0);
    row < count ? std::copy_n(packed + row * width, width, to) : std::fill_n(to, width, T(0));
  }
}

template <Real T>
void SequenceBlock<T>::gather_rows(Index t, const View<const T>& whole, T* packed) const {
  const Index width = whole.extents()[2], count = live_.count(t);
  if (live_.dense()) {
    std::copy_n(&whole(t, live_.order(0), 0), count * width, packed);
    return;
  }
  for (Index row = 0; row < count; ++row) {
    std::copy_n(&whole(t, live_.order(row), 0), width, packed + row * width);
  }
}

template <Real T>
Index SequenceBlock<T>::chunk_end(Index step) const {
  const Index first_row = live_.offset(step), limit = rows_per_chunk<T>(spec_);
  Index end = step + 1;
  while (end < live_.steps() && live_.offset(end + 1) - first_row <= limit) ++end;
  return end;
}

template <Real T>
Matrix<T> SequenceBlock<T>::gate_rows(Index from_step, Index to_step) const {
  const Index width = tape_.G * tape_.H, first = live_.offset(from_step);
  return {tape_.gates + first * width, live_.offset(to_step) - first, width};
}

template <Real T>
void SequenceBlock<T>::gather_states(const Inputs<const T>& in) {
  const Index H = tape_.H;
  for (Index row = 0; row < live_.count(0); ++row) {
    copy_or_zero(in.h0, live_.order(row), H, tape_.h_prev + row * H);
    if (tape_.c_prev) copy_or_zero(in.c0, live_.order(row), H, tape_.c_prev + row * H);
  }
}

/// gates = x W_ih^T + bias for steps from..to.
template <Real T>
void SequenceBlock<T>::hoist_inputs(const Params<const T>& w, const Inputs<const T>& in, Index from,
                                    Index to) {
  const Index I = spec_.shape.I, first = live_.offset(from), rows = live_.offset(to) - first;
  if (x_ != nullptr) {
    for (Index t = from; t < to; ++t) gather_rows(t, in.x, x_ + live_.offset(t) * I);
  }
  const Matrix<T> gates = gate_rows(from, to);
  const Matrix<const T> x(packed_x(in) + first * I, rows, I);
  const Matrix<const T> w_ih(w.weight_ih.data(), gates.cols, I);
  for (Index row = 0; row < rows; ++row)
    std::copy_n(bias_, gates.cols, gates.data + row * gates.cols);
  gemm<T>(Op::none, x, Op::transpose, w_ih, T(1), gates);
}

template <Real T>
void SequenceBlock<T>::emit_outputs(Index t, const Outputs<T>& out, const T* h, const T* c) const {
  const Index H = tape_.H;
  copy_rows(t, h, out.y);
  for (Index row = live_.count(t + 1); row < live_.count(t); ++row) {
    if (out.hT) std::copy_n(h + row * H, H, &out.hT(live_.order(row), 0));
    if (out.cT) std::copy_n(c + row * H, H, &out.cT(live_.order(row), 0));
  }
}

template <Real T>
void SequenceBlock<T>::forward(const Params<const T>& w, const Inputs<const T>& in,
                               const Outputs<T>& out) {
  const Index H = tape_.H;
  live_.assign(in.lengths);
  gather_states(in);
  const Index hoisted = steps_->hoisted_bias_rows(H);
  for (Index row = 0; row < tape_.G * H; ++row) {
    bias_[row] = w.bias_ih ? w.bias_ih[row] + (row < hoisted ? w.bias_hh[row] : T(0)) : T(0);
  }

  for (Index from = 0; from < live_.steps();) {
    const Index to = chunk_end(from);
    hoist_inputs(w, in, from, to);
    for (Index t = from; t < to; ++t) {
      T* h = tape_.h_prev + live_.offset(t + 1) * H;
      T* c = tape_.c_prev == nullptr ? nullptr : tape_.c_prev + live_.offset(t + 1) * H;
      if (live_.count(t) > 0) {
        steps_->forward(w, tape_.from(live_.offset(t)), live_.count(t), h, c);
      }
      emit_outputs(t, out, h, c);
    }
    from = to;
  }
  // Sequences of length 0 end where they began.
  for (Index row = live_.count(0); row < live_.rows(); ++row) {
    const Index b = live_.order(row);
    if (out.hT) copy_or_zero(in.h0, b, H, &out.hT(b, 0));
    if (out.cT) copy_or_zero(in.c0, b, H, &out.cT(b, 0));
  }
}

template <Real T>
void SequenceBlock<T>::input_gradients(const Params<const T>& w, const View<T>& dx) {
  const Index I = spec_.shape.I;
  const Matrix<const T> w_ih(w.weight_ih.data(), tape_.G * tape_.H, I);
  for (Index from = 0; from < live_.steps();) {
    const Index to = dx_ == nullptr ? live_.steps() : chunk_end(from);
    const Matrix<T> d = gate_rows(from, to);
    const Matrix<T> packed(dx_ == nullptr ? dx.data() : dx_, d.rows, I);
    gemm<T>(Op::none, d, Op::none, w_ih, T(0), packed);
    if (dx_ != nullptr) {
      for (Index t = from; t < to; ++t) {
        copy_rows(t, dx_ + (live_.offset(t) - live_.offset(from)) * I, dx);
      }
    }
    from = to;
  }
}

template <Real T>
void SequenceBlock<T>::backward(const Params<const T>& w, const Inputs<const T>&,
                                const OutputGrads<const T>& dout, const Grads<T>& grads) {
  const Index H = tape_.H;
  // A row that is not alive yet, going backward, waits with the gradient of its final state.
  for (Index row = 0; row < live_.rows(); ++row) {
    copy_or_zero(dout.hT, live_.order(row), H, dh_ + row * H);
    if (dc_) copy_or_zero(dout.cT, live_.order(row), H, dc_ + row * H);
  }
  for (Index t = live_.steps() - 1; t >= 0; --t) {
    const Index rows = live_.count(t);
    if (rows == 0) continue;
    if (dout.y) {
      for (Index row = 0; row < rows; ++row) {
        const T* dy = &dout.y(t, live_.order(row), 0);
        for (Index j = 0; j < H; ++j) dh_[row * H + j] += dy[j];
      }
    }
    steps_->backward(w, tape_.from(live_.offset(t)), rows, dh_, dc_, scratch_);
  }
  for (Index row = 0; row < live_.rows(); ++row) {
    if (grads.h0) std::copy_n(dh_ + row * H, H, &grads.h0(live_.order(row), 0));
    if (grads.c0) std::copy_n(dc_ + row * H, H, &grads.c0(live_.order(row), 0));
  }
  if (grads.x) input_gradients(w, grads.x);
}

template <Real T>
void SequenceBlock<T>::weight_gradients(const Inputs<const T>& in, Index begin, Index count,
                                        bool accumulate, const Params<T>& dw) const {
  const Index I = spec_.shape.I, rows = live_.total();
  const T beta = accumulate ? T(1) : T(0);
  const Matrix<T> d = gate_rows(0, live_.steps()).col_range(begin, count);
  const auto range = [&](const View<T>& view, Index cols) {
    return view ? Matrix<T>(view.data() + begin * cols, count, cols) : Matrix<T>();
  };
  const auto from = [&](const View<T>& view) { return view ? view.data() + begin : nullptr; };
  if (dw.weight_ih) {
    gemm<T>(Op::transpose, d, Op::none, Matrix<const T>(packed_x(in), rows, I), beta,
            range(dw.weight_ih, I));
  }
  if (dw.bias_ih) linalg::column_sums<T>(d, from(dw.bias_ih), accumulate);
  steps_->recurrent_gradient(tape_, rows, begin, beta, range(dw.weight_hh, tape_.H),
                             from(dw.bias_hh), count);
}

template class SequenceBlock<float>;
template class SequenceBlock<double>;

}  // namespace bptt::schedule
