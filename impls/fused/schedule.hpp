// Forward and backward through time on packed panels.
//
//   forward    the weights are packed; for chunks of steps x W_ih^T + b in one product; step by
//   step
//              the recurrent product, whose tiles hold all gates of a panel of units, with the
//              pointwise work on each tile while it is in the first-level cache.
//   backward   step by step dh_{t-1} = dp_t W_hh, with the pointwise work of step t-1 on each tile,
//              which turns the gates on the tape into gradients; dx for chunks of steps; and
//              dW = dp^T [x, h], summed over blocks of steps in a fixed order.
//
// Every function that takes a Member is run by all members of a team at once. Results do not depend
// on how many they are, or on who does what: every element, or a part's sum of one, is computed in
// an order set by the shape and the partition.
#pragma once

#include "impls/api/plan.hpp"
#include "impls/fused/backlog.hpp"
#include "impls/fused/blocks.hpp"
#include "impls/fused/multiply.hpp"
#include "impls/fused/partition.hpp"
#include "impls/fused/parts.hpp"
#include "impls/fused/team.hpp"
#include "impls/schedule/segments.hpp"

namespace bptt::fused {

using schedule::Booking;
using schedule::Workspace;
using schedule::WorkspaceLayout;

/// A right operand: its tiles and where they lie.
template <Real T>
struct Packed {
  Tiling tiling;
  Slice slice;
  Index panel = 0;  ///< elements of a column panel
  Index copy = 0;   ///< from one member's copy to the next; 0: there is one for all
  T* data = nullptr;
  T* of(const Member& member) const { return data + member.place() * copy; }
};

template <Real T>
class Schedule {
 public:
  struct Bookings {
    Parts::Bookings parts;
    schedule::Segments::Bookings segments;
    Booking<T> gates, reset_h, h, c, h_first, c_first, dh, dc, d_reset_h, bias, d_bias, sums;
    Booking<T> forward_weights, backward_weights, x_block, shared;
  };
  static Bookings book(WorkspaceLayout&, const Spec&, const Exec&);
  Schedule(const Workspace&, const Bookings&, const Spec&, const Exec&);

  /// Before the team sets out forward: which rows live.
  void start(const Inputs<const T>&);
  void forward(const Params<const T>&, const Inputs<const T>&, const Outputs<T>&, const Member&);
  void backward(const Params<const T>&, const Inputs<const T>&, const OutputGrads<const T>&,
                const Grads<T>&, const Member&);

 private:
  struct Shapes;
  struct Operand {
    T* data;
    Index panel;
  };
  /// Where a member sums up rows of the tape, and which columns.
  struct RowSums {
    Params<T> to;
    Range x_panels, h_panels;
    bool any;  ///< there is something already
    T* block;  ///< for x in panels
  };

  /// Calls body(part, member that works on it).
  template <class Body>
  void for_parts(const Member& member, Body body) const {
    if (partition_.way != Partition::Way::parts) return body(Index{0}, member);
    for (Index part = member.rank(); part < partition_.parts; part += member.size()) {
      body(part, member.alone());
    }
  }
  bool recomputes() const { return recompute_ != Recompute::none; }
  bool packs_for_all() const { return w_hidden_.copy == 0; }
  /// More than a second-level cache keeps: when a pass ends, what it began with is gone.
  static bool is_far(Index elements) {
    return elements * static_cast<Index>(sizeof(T)) > Index{1} << 20;
  }
  bool tape_is_far() const {
    return is_far(g_.unit_panels * (g_.gate_panel + (c_ == nullptr ? 1 : 2) * g_.state_panel +
                                    (reset_h_ == nullptr ? 0 : g_.tape_panel)));
  }
  /// Whether y or dx is written past the caches. Lines that threads write side by side they take
  /// away from each other, as the hardware fetches ahead; those of a long tensor would be read
  /// before they are written, and be gone when the caller wants them. Only whole lines can be.
  bool streams(const View<T>& to) const;

  /// One thread runs the time loop, and there is another to be ahead of it, or behind it.
  bool loops_alone(const Member& crew) const {
    return partition_.way == Partition::Way::ahead && crew.size() > 1;
  }

  // forward.cpp
  void pack_forward(const Params<const T>&, const Member&);
  void gather_states(const Inputs<const T>&, const Member&);
  void enter(Index segment, const Member&);
  void keep_states(Index part, Index segment, const Member&);
  void share_states(Index part, const Member&);
  void share(const T* from, Index stride, Index width, Index t, Index panel, Index row, Index rows,
             Index at) const;
  void take_states(Index part, Index segment, const Member&);
  void run_forward(Index part, const Params<const T>&, const Inputs<const T>&, const Outputs<T>*,
                   const Member&);
  void hoist_inputs(Index part, const Params<const T>&, const Inputs<const T>&, Index from,
                    Index to, const Member&);
  void run_forward_ahead(Index part, const Params<const T>&, const Inputs<const T>&,
                         const Outputs<T>*, const Member&);
  void step_forward(Index part, Index t, const Outputs<T>*, const FetchedRows<T>&, const Member&);
  ForwardStep<T> forward_step_of(Index part, Index t, const Outputs<T>*) const;
  void share_forward(const ForwardStep<T>&, const StepTile&, bool reset_h, Index t) const;
  void emit_ends(Index part, Index t, Index panel, Index row, Index rows, const Outputs<T>&);
  void fill_padding(Index part, const View<T>&, const Member&) const;
  void emit_unstarted(Index part, const Inputs<const T>&, const Outputs<T>&, const Member&) const;
  /// Whether steps from..to are few enough to be taken at once.
  bool is_chunk(Index part, Index from, Index to) const;
  Index chunk_end(Index part, Index step) const;
  FetchedRows<T> x_of_next_chunk(Index part, Range chunk, const Inputs<const T>&) const;

  T* bias_of(const Member& member) const {
    return bias_ + (packs_for_all() ? 0 : member.place()) * g_.unit_panels * g_.gate_row;
  }
  /// Members without a part have no copy of the weights either.
  bool packs(const Member& member) const {
    return packs_for_all() || member.place() < partition_.parts;
  }
  /// Who packs which tiles of what the time loop multiplies by, and of W_ih: who uses them, if
  /// possible, since to fetch a line that another thread has just written takes longer than to pack
  /// it.
  Range tiles_to_pack(const Packed<T>&, bool for_inputs, const Member&) const;

  // backward.cpp
  void pack_backward(const Params<const T>&, const Grads<T>&, const Member&);
  void gather_gradients(Index part, const OutputGrads<const T>&, const Member&);
  void run_backward(Index part, const Inputs<const T>&, const OutputGrads<const T>&,
                    const Grads<T>&, RowSums*, const Member&);
  void run_backward_ahead(const Inputs<const T>&, const OutputGrads<const T>&, const Grads<T>&,
                          bool accumulate, const Member&);
  void first_state_gradient(Index part, const Grads<T>&, const Member&) const;
  Product<T> recurrent_gradient(Index part, Index t, const Member&) const;
  void step_backward(Index part, Index t, bool product_first, const Inputs<const T>&,
                     const OutputGrads<const T>&, const Member&);
  BackwardStep<T> backward_step_of(Index part, Index t, const Inputs<const T>&,
                                   const OutputGrads<const T>&) const;
  void share_backward(const BackwardStep<T>&, const StepTile&, bool only_r, Index t) const;
  void input_gradients(Index part, Index from, Index to, const View<T>& dx, const Member&);
  void scatter_gradients(Index part, const Grads<T>&, const Member&) const;

  // weight_gradients.cpp
  RowSums row_sums(Index part, const Params<T>& grads, bool any, const Member&) const;
  void weight_gradients(const Inputs<const T>&, const Params<T>&, bool accumulate, const Member&);
  Params<T> sums_of(Index part, const Params<T>& grads) const;
  bool begins_block(Index part, Index t, Index end) const;
  void add_steps(Index part, const Inputs<const T>&, Range steps, RowSums&) const;
  void add_part(Index part, const Inputs<const T>&, RowSums&) const;
  void add_sums(const Params<T>& grads, const Member&) const;
  static void clear_empty(const RowSums&);
  /// Members sum up their own parts' rows as they go back through time, while these are in their
  /// caches. Else all do when all have been there, or behind a time loop that one of them runs.
  bool sums_own_rows(const Member& member) const {
    if (partition_.way != Partition::Way::parts) return false;
    return sums_ == nullptr ? parts_.count() == 1 && member.size() == 1
                            : parts_sum_up(parts_.count(), member.size());
  }
  void pack_inputs(const Inputs<const T>&, Index row, Index rows, Range panels, T* block) const;
  void outer_products(Slice, Index row, Index rows, const T* b, Index b_panel, Range panels,
                      const View<T>& dw, bool accumulate) const;
  void bias_gradients(const Params<T>&) const;

  // Where things are. Rows of a part in step t, in the first panel.
  T* gates(Index part, Index t) const { return gates_ + parts_.tape_row(part, t) * g_.gate_row; }
  T* reset_h(Index part, Index t) const { return reset_h_ + parts_.tape_row(part, t) * g_.lanes; }
  /// As gates: the one run of time is on the tape; with Recompute::gates, states of all time are.
  Index state_row(Index part, Index t) const;
  T* h_prev(Index part, Index t) const { return h_ + state_row(part, t) * g_.lanes; }
  T* c(Index part, Index t) const { return c_ + state_row(part, t) * g_.lanes; }
  /// What the product of step t reads, and how far panels are apart: states, and gates.
  Operand operand(T* on_tape, Index panel, Index t) const {
    return shared_ == nullptr ? Operand{on_tape, panel} : Operand{shared_at(t), g_.shared_panel};
  }
  T* shared_at(Index t) const { return shared_ + (t & 1) * g_.shared_step; }
  Panels<const T> c_prev(Index part, Index t) const;
  /// Per sequence.
  T* states_of(T* array, Index part) const { return array + part * g_.part_states; }
  T* gradients_of(T* array, Index part) const { return array + part * g_.part_gradients; }
  Index first_states(Index segment) const {
    return (recompute_ == Recompute::checkpoint ? segment : 0) * parts_.count() * g_.part_states;
  }

  Spec spec_;
  Recompute recompute_;
  Partition partition_;
  Index block_rows_;  ///< of dW
  bool shares_rows_;  ///< threads write parts of y and dx that lie side by side
  const Kernels<T>& kernels_;
  Pointwise<T> pointwise_;
  Geometry g_;
  InputBlock input_block_;
  Parts parts_;
  schedule::Segments segments_;
  Index segment_ = 0;  ///< the one on the tape
  Backlog backlog_;    ///< where one thread runs the time loop

  Packed<T> w_input_, w_hidden_, w_reset_;          ///< forward
  Packed<T> w_back_, w_back_reset_, w_back_input_;  ///< backward
  T* gates_;                                        ///< [panel][tape row][gates]
  T* reset_h_;    ///< [panel][tape row] r h_{t-1} of a gru with reset before_matmul
  T* h_;          ///< [panel][state row] h_{t-1}
  T* c_;          ///< [panel][state row] c_t
  T* h_first_;    ///< [segment][part][panel][sequence] the states a segment starts from
  T* c_first_;    ///< the same; without checkpoints, of the first segment
  T *dh_, *dc_;   ///< [part][panel][sequence] carried back through time
  T* d_reset_h_;  ///< [part][panel][sequence]
  T* bias_;       ///< [copy][panel][gates] what is added before the time loop
  T* d_bias_;     ///< [part][panel][2][gates]: of all steps so far, and of this one
  T* sums_;       ///< [part but the first] dW_ih, dW_hh of its rows; null where threads share them
  T* x_block_;    ///< [thread] an InputBlock each
  /// [2][panel][sequence][gates] where units are split: what threads tell each other in a step, by
  /// turns. On the tape, the rows that one thread reads lie before those that another is about to
  /// write, and the hardware's prefetching would take these away from it.
  T* shared_;
};

}  // namespace bptt::fused
