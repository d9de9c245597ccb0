// A block of the batch's sequences, run through the whole of time: the schedule that `blas` applies
// to the whole batch and `tbb` to several parts of it side by side.
//
//   forward:   for chunks of steps that stay in cache: x W_ih^T + b, hoisted into one GEMM;
//              then step by step: the recurrent GEMM and the pointwise work.
//   backward:  step by step, last to first: pointwise work and the recurrent GEMM, which leaves the
//              gradients of all pre-activations on the tape; then dx over all steps at once.
//   weights:   dW_ih, dW_hh and the biases' gradients over all steps at once, for any range of gate
//              rows, so that the caller may split them without adding partial sums.
//
// Lengths: rows are packed (live_rows.hpp); padding is neither read nor computed.
//
// Recomputation: the tape holds a segment of time (segments.hpp); "all steps" above is then a
// segment's, and the weights' gradients are summed over the segments as backward leaves each.
#pragma once

#include <optional>
#include <string>

#include "impls/schedule/cell_steps.hpp"
#include "impls/schedule/segments.hpp"

namespace bptt::schedule {

/// Why OpenBLAS cannot take this spec's products, or nothing.
std::optional<std::string> blas_refusal(const Spec&);

template <Real T>
class SequenceBlock {
 public:
  /// Sequences first..first+rows of the batch.
  struct Range {
    Index first = 0, rows = 0;
  };

  struct Bookings {
    LiveRows::Bookings live;
    Segments::Bookings segments;
    Booking<T> gates, h_prev, c_prev, psi_c, product, x, dx, dh, dc, scratch, bias, d_peephole;
    Booking<T> rebuilt, h_kept, c_kept;           ///< recomputation
    Booking<T> d_weight_ih, d_weight_hh, d_bias;  ///< recomputation
  };
  static Bookings book(WorkspaceLayout&, const Spec&, Recompute, Range);

  SequenceBlock(const Workspace&, const Bookings&, const Spec&, Recompute, Range);

  void forward(const Params<const T>&, const Inputs<const T>&, const Outputs<T>&);

  /// Writes this block's rows of dx, dh0 and dc0 (not the parameters' gradients, but it must know
  /// which of them are wanted).
  void backward(const Params<const T>&, const Inputs<const T>&, const OutputGrads<const T>&,
                const Grads<T>&);

  /// After backward: rows begin..begin+count of the parameters' gradients, this block's part of
  /// them; added to what is there where `accumulate`. Calls for different rows may run side by
  /// side. The call with row 0 does the peepholes as well.
  void weight_gradients(const Inputs<const T>&, Index begin, Index count, bool accumulate,
                        const Params<T>&) const;

 private:
  /// Copies between step t's packed rows and those rows of a batch tensor [T,B,width].
  void copy_rows(Index t, const T* packed, const View<T>& whole) const;
  void gather_rows(Index t, const View<const T>& whole, T* packed) const;
  /// The first step whose rows do not fit in a cache-sized chunk that begins with `step`, or
  /// `last`.
  Index chunk_end(Index step, Index last) const;
  void gather_states(const Inputs<const T>&);
  void gather_biases(const Params<const T>&);
  void hoist_inputs(const Params<const T>&, const Inputs<const T>&, Index from, Index to);
  void emit_outputs(Index t, const Outputs<T>&, const T* h, const T* c) const;
  void input_gradients(const Params<const T>&, const View<T>& dx, Index from, Index to);

  /// The tape from step t on, which lies in the segment that it holds.
  Tape<T> tape_at(Index t) const;
  linalg::Matrix<T> gate_rows(Index from_step, Index to_step) const;
  /// x of step t on: the packed copy, or the batch's own where that is packed.
  const T* packed_x(const Inputs<const T>& in, Index t) const;
  T* own_x(Index t) const;
  /// Makes the tape that of a segment, with the states it starts from in place.
  void enter_forward(Index segment);
  void rebuild(const Params<const T>&, const Inputs<const T>&, Index segment);
  /// Steps of the segment at hand. `out`: nullptr where they were emitted before.
  void run_forward(const Params<const T>&, const Inputs<const T>&, Index from, Index to,
                   const Outputs<T>* out);
  /// Adds the gradients of the segment at hand to this block's own sums.
  void sum_weight_gradients(const Inputs<const T>&, bool accumulate, const Params<T>& wanted);
  void segment_weight_gradients(const Inputs<const T>&, Index begin, Index count, bool accumulate,
                                const Params<T>&) const;

  bool recomputes() const { return recompute_ != Recompute::none; }

  Spec spec_;
  Recompute recompute_;
  std::unique_ptr<CellSteps<T>> steps_;
  LiveRows live_;
  Segments segments_;
  Index segment_ = 0;  ///< the one on the tape
  Tape<T> tape_;
  T* x_;        ///< [tape rows,I] packed copy; nullptr where the batch's own x is packed already
  T* dx_;       ///< [chunk,I] the same for dx
  T* dh_;       ///< [rows,H] carried back through time
  T* dc_;       ///< [rows,H]
  T* scratch_;  ///< [rows,H]
  T* bias_;     ///< [G*H] what can be added before the time loop
  T* rebuilt_;  ///< [tape rows,H] states that a rebuilt segment leaves: known already
  T *h_kept_, *c_kept_;                      ///< [segments,rows,H] checkpoints
  T *d_weight_ih_, *d_weight_hh_, *d_bias_;  ///< [G*H,I], [G*H,H], [2,G*H] sums over segments
};

}  // namespace bptt::schedule
