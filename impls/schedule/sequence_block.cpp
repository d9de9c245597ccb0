#include "impls/schedule/sequence_block.hpp"

#include <algorithm>

#include "impls/linalg/gemm.hpp"

namespace bptt::schedule {
namespace {

using linalg::gemm;
using linalg::Matrix;
using linalg::Op;

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
                                                           const Spec& spec, Recompute recompute,
                                                           Range range) {
  const auto& [steps, batch, I, H] = spec.shape;
  const Index G = spec.cell.gates();
  const auto sized = [](std::initializer_list<Index> extents) {
    return checked_product(extents, "workspace");
  };
  const Segments::Sizes sizes =
      Segments::sizes(spec, recompute, range.rows, static_cast<Index>(sizeof(T)));
  const Index rows = sizes.tape_rows;
  // A step writes its states where the next step's begin, and may have more rows than that one.
  const Index state_rows = checked_sum({sizes.state_rows, range.rows}, "workspace");
  const bool lstm = spec.cell.has_cell_state(), gru = spec.cell.kind == CellKind::gru;
  const bool recomputes = recompute != Recompute::none;
  const auto book_if = [&](bool wanted, std::initializer_list<Index> extents) {
    return wanted ? layout.book<T>(sized(extents)) : Booking<T>{};
  };

  Bookings b;
  b.live = LiveRows::book(layout, steps, range.rows);
  b.segments = Segments::book(layout, steps);
  b.gates = layout.book<T>(sized({rows, G, H}));
  b.h_prev = layout.book<T>(sized({state_rows, H}));
  b.c_prev = book_if(lstm, {state_rows, H});
  b.psi_c = book_if(lstm, {rows, H});
  b.product = book_if(gru, {rows, H});
  b.x = book_if(!is_packed_already(spec, range), {rows, I});
  const Index chunk = std::max(range.rows, rows_per_chunk(spec, static_cast<Index>(sizeof(T))));
  b.dx = book_if(!is_packed_already(spec, range), {std::min(rows, chunk), I});
  b.dh = layout.book<T>(sized({range.rows, H}));
  b.dc = book_if(lstm, {range.rows, H});
  b.scratch = book_if(gru, {range.rows, H});
  b.bias = layout.book<T>(sized({G, H}));
  b.d_peephole = book_if(spec.cell.peephole, {3, H});
  b.rebuilt = book_if(recompute == Recompute::gates, {rows, H});
  b.h_kept = book_if(sizes.checkpoints > 0, {sizes.checkpoints, range.rows, H});
  b.c_kept = book_if(sizes.checkpoints > 0 && lstm, {sizes.checkpoints, range.rows, H});
  b.d_weight_ih = book_if(recomputes, {G, H, I});
  b.d_weight_hh = book_if(recomputes, {G, H, H});
  b.d_bias = book_if(recomputes && spec.cell.bias, {2, G, H});
  return b;
}

template <Real T>
SequenceBlock<T>::SequenceBlock(const Workspace& workspace, const Bookings& bookings,
                                const Spec& spec, Recompute recompute, Range range)
    : spec_(spec),
      recompute_(recompute),
      steps_(make_cell_steps<T>(spec.cell)),
      live_(workspace, bookings.live, spec.shape.T, range.first, range.rows),
      segments_(workspace, bookings.segments,
                Segments::sizes(spec, recompute, range.rows, static_cast<Index>(sizeof(T)))),
      x_(workspace.at(bookings.x)),
      dx_(workspace.at(bookings.dx)),
      dh_(workspace.at(bookings.dh)),
      dc_(workspace.at(bookings.dc)),
      scratch_(workspace.at(bookings.scratch)),
      bias_(workspace.at(bookings.bias)),
      rebuilt_(workspace.at(bookings.rebuilt)),
      h_kept_(workspace.at(bookings.h_kept)),
      c_kept_(workspace.at(bookings.c_kept)),
      d_weight_ih_(workspace.at(bookings.d_weight_ih)),
      d_weight_hh_(workspace.at(bookings.d_weight_hh)),
      d_bias_(workspace.at(bookings.d_bias)) {
  tape_.H = spec.shape.H;
  tape_.G = spec.cell.gates();
  tape_.gates = workspace.at(bookings.gates);
  tape_.h_prev = workspace.at(bookings.h_prev);
  tape_.c_prev = workspace.at(bookings.c_prev);
  tape_.psi_c = workspace.at(bookings.psi_c);
  tape_.product = workspace.at(bookings.product);
  tape_.d_peephole = workspace.at(bookings.d_peephole);
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
Index SequenceBlock<T>::chunk_end(Index step, Index last) const {
  const Index first_row = live_.offset(step);
  const Index limit = rows_per_chunk(spec_, static_cast<Index>(sizeof(T)));
  Index end = step + 1;
  while (end < last && live_.offset(end + 1) - first_row <= limit) ++end;
  return end;
}

template <Real T>
Tape<T> SequenceBlock<T>::tape_at(Index t) const {
  const Index row = live_.offset(t) - live_.offset(segments_.begin(segment_));
  return tape_.from(recompute_ == Recompute::checkpoint ? row : live_.offset(t), row);
}

template <Real T>
Matrix<T> SequenceBlock<T>::gate_rows(Index from_step, Index to_step) const {
  const Index rows = live_.offset(to_step) - live_.offset(from_step);
  return {tape_at(from_step).gates, rows, tape_.G * tape_.H};
}

template <Real T>
T* SequenceBlock<T>::own_x(Index t) const {
  return x_ + (live_.offset(t) - live_.offset(segments_.begin(segment_))) * spec_.shape.I;
}

template <Real T>
const T* SequenceBlock<T>::packed_x(const Inputs<const T>& in, Index t) const {
  return x_ == nullptr ? in.x.data() + live_.offset(t) * spec_.shape.I : own_x(t);
}

template <Real T>
void SequenceBlock<T>::gather_states(const Inputs<const T>& in) {
  const Index H = tape_.H;
  for (Index row = 0; row < live_.count(0); ++row) {
    copy_or_zero(in.h0, live_.order(row), H, tape_.h_prev + row * H);
    if (tape_.c_prev) copy_or_zero(in.c0, live_.order(row), H, tape_.c_prev + row * H);
  }
}

template <Real T>
void SequenceBlock<T>::gather_biases(const Params<const T>& w) {
  const Index hoisted = steps_->hoisted_bias_rows(tape_.H);
  for (Index row = 0; row < tape_.G * tape_.H; ++row) {
    bias_[row] = w.bias_ih ? w.bias_ih[row] + (row < hoisted ? w.bias_hh[row] : T(0)) : T(0);
  }
}

/// gates = x W_ih^T + bias for steps from..to.
template <Real T>
void SequenceBlock<T>::hoist_inputs(const Params<const T>& w, const Inputs<const T>& in, Index from,
                                    Index to) {
  const Index I = spec_.shape.I;
  if (x_ != nullptr) {
    for (Index t = from; t < to; ++t) gather_rows(t, in.x, own_x(t));
  }
  const Matrix<T> gates = gate_rows(from, to);
  const Matrix<const T> x(packed_x(in, from), gates.rows, I);
  const Matrix<const T> w_ih(w.weight_ih.data(), gates.cols, I);
  for (Index row = 0; row < gates.rows; ++row)
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
void SequenceBlock<T>::run_forward(const Params<const T>& w, const Inputs<const T>& in, Index from,
                                   Index to, const Outputs<T>* out) {
  for (Index begin = from; begin < to;) {
    const Index end = chunk_end(begin, to);
    hoist_inputs(w, in, begin, end);
    for (Index t = begin; t < end; ++t) {
      const Tape<T> next = tape_at(t).from(live_.count(t), 0);
      if (live_.count(t) > 0) {
        steps_->forward(w, tape_at(t), live_.count(t), next.h_prev, next.c_prev);
      }
      if (out != nullptr) emit_outputs(t, *out, next.h_prev, next.c_prev);
    }
    begin = end;
  }
}

template <Real T>
void SequenceBlock<T>::enter_forward(Index segment) {
  if (recompute_ == Recompute::checkpoint) {
    const Index rows = live_.count(segments_.begin(segment));
    // Where the segment before left them; the first one's were gathered there.
    const Tape<T> left = tape_at(segments_.begin(segment));
    const auto keep = [&](const T* states, T* kept, T* first) {
      if (states == nullptr) return;
      T* const at = kept + segment * live_.rows() * tape_.H;
      std::copy_n(states, rows * tape_.H, at);
      std::copy_n(at, rows * tape_.H, first);
    };
    keep(left.h_prev, h_kept_, tape_.h_prev);
    keep(left.c_prev, c_kept_, tape_.c_prev);
  }
  segment_ = segment;
}

template <Real T>
void SequenceBlock<T>::rebuild(const Params<const T>& w, const Inputs<const T>& in, Index segment) {
  const Index from = segments_.begin(segment), to = segments_.end(segment);
  segment_ = segment;
  if (recompute_ == Recompute::gates) {
    const Index rows = live_.offset(to) - live_.offset(from);
    hoist_inputs(w, in, from, to);
    if (rows > 0) steps_->forward(w, tape_at(from), rows, rebuilt_, rebuilt_);
    return;
  }
  const auto restore = [&](const T* kept, T* first) {
    if (kept == nullptr) return;
    std::copy_n(kept + segment * live_.rows() * tape_.H, live_.count(from) * tape_.H, first);
  };
  restore(h_kept_, tape_.h_prev);
  restore(c_kept_, tape_.c_prev);
  run_forward(w, in, from, to, nullptr);
}

template <Real T>
void SequenceBlock<T>::forward(const Params<const T>& w, const Inputs<const T>& in,
                               const Outputs<T>& out) {
  live_.assign(in.lengths);
  segments_.assign(live_);
  segment_ = 0;
  gather_states(in);
  gather_biases(w);
  for (Index segment = 0; segment < segments_.count(); ++segment) {
    enter_forward(segment);
    run_forward(w, in, segments_.begin(segment), segments_.end(segment), &out);
  }
  // Sequences of length 0 end where they began.
  for (Index row = live_.count(0); row < live_.rows(); ++row) {
    const Index b = live_.order(row);
    if (out.hT) copy_or_zero(in.h0, b, tape_.H, &out.hT(b, 0));
    if (out.cT) copy_or_zero(in.c0, b, tape_.H, &out.cT(b, 0));
  }
}

template <Real T>
void SequenceBlock<T>::input_gradients(const Params<const T>& w, const View<T>& dx, Index from,
                                       Index to) {
  const Index I = spec_.shape.I;
  const Matrix<const T> w_ih(w.weight_ih.data(), tape_.G * tape_.H, I);
  for (Index begin = from; begin < to;) {
    const Index end = dx_ == nullptr ? to : chunk_end(begin, to);
    const Matrix<T> d = gate_rows(begin, end);
    const Matrix<T> packed(dx_ == nullptr ? dx.data() + live_.offset(begin) * I : dx_, d.rows, I);
    gemm<T>(Op::none, d, Op::none, w_ih, T(0), packed);
    if (dx_ != nullptr) {
      for (Index t = begin; t < end; ++t) {
        copy_rows(t, dx_ + (live_.offset(t) - live_.offset(begin)) * I, dx);
      }
    }
    begin = end;
  }
}

template <Real T>
void SequenceBlock<T>::backward(const Params<const T>& w, const Inputs<const T>& in,
                                const OutputGrads<const T>& dout, const Grads<T>& grads) {
  const Index H = tape_.H;
  // A row that is not alive yet, going backward, waits with the gradient of its final state.
  for (Index row = 0; row < live_.rows(); ++row) {
    copy_or_zero(dout.hT, live_.order(row), H, dh_ + row * H);
    if (dc_) copy_or_zero(dout.cT, live_.order(row), H, dc_ + row * H);
  }
  if (tape_.d_peephole) std::fill_n(tape_.d_peephole, 3 * H, T(0));
  const Index last = segments_.count() - 1;
  for (Index segment = last; segment >= 0; --segment) {
    if (segment != segment_) rebuild(w, in, segment);
    const Index from = segments_.begin(segment), to = segments_.end(segment);
    for (Index t = to - 1; t >= from; --t) {
      const Index rows = live_.count(t);
      if (rows == 0) continue;
      if (dout.y) {
        for (Index row = 0; row < rows; ++row) {
          const T* dy = &dout.y(t, live_.order(row), 0);
          for (Index j = 0; j < H; ++j) dh_[row * H + j] += dy[j];
        }
      }
      steps_->backward(w, tape_at(t), rows, dh_, dc_, scratch_);
    }
    if (grads.x) input_gradients(w, grads.x, from, to);
    if (recomputes()) sum_weight_gradients(in, segment != last, grads.params);
  }
  for (Index row = 0; row < live_.rows(); ++row) {
    if (grads.h0) std::copy_n(dh_ + row * H, H, &grads.h0(live_.order(row), 0));
    if (grads.c0) std::copy_n(dc_ + row * H, H, &grads.c0(live_.order(row), 0));
  }
}

template class SequenceBlock<float>;
template class SequenceBlock<double>;

}  // namespace bptt::schedule
