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
#pragma once

#include <optional>
#include <string>

#include "impls/schedule/cell_steps.hpp"
#include "impls/schedule/live_rows.hpp"

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
    Booking<T> gates, h_prev, c_prev, tanh_c, product, x, dx, dh, dc, scratch, bias;
  };
  static Bookings book(WorkspaceLayout&, const Spec&, Range);

  SequenceBlock(const Workspace&, const Bookings&, const Spec&, Range);

  void forward(const Params<const T>&, const Inputs<const T>&, const Outputs<T>&);

  /// Writes this block's rows of dx, dh0 and dc0 (not the parameters' gradients).
  void backward(const Params<const T>&, const Inputs<const T>&, const OutputGrads<const T>&,
                const Grads<T>&);

  /// After backward: rows begin..begin+count of the parameters' gradients, this block's part of
  /// them; added to what is there where `accumulate`. Calls for different rows may run side by
  /// side.
  void weight_gradients(const Inputs<const T>&, Index begin, Index count, bool accumulate,
                        const Params<T>&) const;

 private:
  /// Copies between step t's packed rows and those rows of a batch tensor [T,B,width].
  void copy_rows(Index t, const T* packed, const View<T>& whole) const;
  void gather_rows(Index t, const View<const T>& whole, T* packed) const;
  /// The first step whose rows do not fit in a cache-sized chunk that begins with `step`.
  Index chunk_end(Index step) const;
  void gather_states(const Inputs<const T>&);
  void hoist_inputs(const Params<const T>&, const Inputs<const T>&, Index from, Index to);
  void emit_outputs(Index t, const Outputs<T>&, const T* h, const T* c) const;
  void input_gradients(const Params<const T>&, const View<T>& dx);
  linalg::Matrix<T> gate_rows(Index from_step, Index to_step) const;
  const T* packed_x(const Inputs<const T>& in) const { return x_ == nullptr ? in.x.data() : x_; }

  Spec spec_;
  std::unique_ptr<CellSteps<T>> steps_;
  LiveRows live_;
  Tape<T> tape_;
  T* x_;        ///< [rows,I] packed copy; nullptr where the batch's own x is packed already
  T* dx_;       ///< [chunk,I] the same for dx
  T* dh_;       ///< [rows,H] carried back through time
  T* dc_;       ///< [rows,H]
  T* scratch_;  ///< [rows,H]
  T* bias_;     ///< [G*H] what can be added before the time loop
};

}  // namespace bptt::schedule
