// What a schedule holds, and how large it is.
#include "impls/fused/schedule.hpp"

#include <cstdint>
#include <limits>

#include "impls/fused/pack.hpp"

namespace bptt::fused {

using schedule::Segments;

/// Sizes of all arrays: one place, for booking and for use.
template <Real T>
struct Schedule<T>::Shapes {
  Shapes(const Spec& spec, const Exec& exec, Index lanes)
      : partition(fused::partition(spec, exec, sizeof(T))),
        sizes(Segments::sizes(spec, exec.recompute, spec.shape.B, sizeof(T))),
        spare(exec.recompute == Recompute::checkpoint ? spec.shape.B : 0),
        tape_rows(checked_sum({sizes.tape_rows, spare}, "workspace")),
        state_rows(exec.recompute == Recompute::gates ? sizes.state_rows : tape_rows),
        g(spec, lanes, tape_rows, state_rows, partition.parts),
        recomputes(exec.recompute != Recompute::none),
        split_among(partition.way == Partition::Way::units ? exec.threads : 1),
        inputs_among(partition.way == Partition::Way::ahead ? exec.threads - 1 : split_among) {}

  /// Panels in the tiles of a product, of which each has `vectors` vectors: as many tiles for each
  /// thread, or one for each panel. (With fewer panels than threads, some have no tile.)
  static Tiling tiling(Index rows, Index panels, int vectors, Index threads) {
    const int most = kernels<T>().tile_panels_of(rows);
    const Index fit = std::max(1, most / std::max(1, vectors));
    const Index tiles = divided_up(divided_up(panels, fit), threads) * threads;
    return Tiling::in_runs(panels, std::min(panels, tiles));
  }
  struct Operand {
    Tiling tiling;
    Slice slice;
    Index panel, size;
  };
  /// Of a product of so many rows; k is `vectors_of_k` times `units`.
  Operand operand(Index rows, int vectors_of_k, Index units, Index panels, Slice slice, int vectors,
                  Index threads) const {
    const Index panel =
        packed_panel(checked_product({vectors_of_k, units}, "packed weights"), vectors, g.lanes);
    return {tiling(rows, panels, vectors, threads), slice, panel,
            slice.vectors == 0 ? 0 : checked_product({panels, panel}, "packed weights")};
  }
  Index rows_of_a_step() const { return divided_up(g.shape.B, partition.parts); }
  static constexpr Index many_rows = std::numeric_limits<Index>::max();
  Operand input() const {
    const Index inputs = std::min(g.shape.I, most_inputs_packed);
    return operand(many_rows, 1, inputs, g.unit_panels, g.cell.input, g.cell.input.vectors,
                   inputs_among);
  }
  Operand hidden() const {
    return operand(rows_of_a_step(), 1, g.shape.H, g.unit_panels, g.cell.hidden,
                   g.cell.hidden.vectors, split_among);
  }
  Operand reset() const {
    return operand(rows_of_a_step(), 1, g.shape.H, g.unit_panels, g.cell.reset,
                   g.cell.reset.vectors, split_among);
  }
  Operand back() const {
    return operand(rows_of_a_step(), g.cell.hidden.vectors, g.shape.H, g.unit_panels, g.cell.hidden,
                   1, split_among);
  }
  Operand back_reset() const {
    return operand(rows_of_a_step(), g.cell.reset.vectors, g.shape.H, g.unit_panels, g.cell.reset,
                   1, split_among);
  }
  Operand back_input() const {
    return operand(many_rows, g.cell.input.vectors, g.shape.H, g.input_panels, g.cell.input, 1,
                   inputs_among);
  }

  Index forward_weights() const {
    return checked_sum({input().size, hidden().size, reset().size}, "workspace");
  }
  Index backward_weights() const {
    return checked_sum({back().size, back_reset().size, back_input().size}, "workspace");
  }
  /// Whether each thread packs all weights for itself. What it packs is in its caches; a line that
  /// another thread has packed takes longer to fetch. Weights that do not stay in the second-level
  /// cache anyway are packed once for all; so are those that a recomputation needs again in
  /// backward, to which more threads may come than had come to forward.
  bool packs_for_all() const {
    const Index bytes = checked_product(
        {std::max(forward_weights(), backward_weights()), static_cast<Index>(sizeof(T))},
        "packed weights");
    return partition.way != Partition::Way::parts || partition.parts == 1 || recomputes ||
           bytes > own_weights_at_most;
  }
  static constexpr Index own_weights_at_most = Index{1} << 20;

  Partition partition;
  Segments::Sizes sizes;
  Index spare, tape_rows, state_rows;
  Geometry g;
  bool recomputes;
  Index split_among, inputs_among;  ///< threads that have a share in every step, in the inputs

  static Index weight_gradient_elements(const Spec& spec) {
    return checked_product(
        {spec.cell.gates(), spec.shape.H, checked_sum({spec.shape.I, spec.shape.H}, "workspace")},
        "workspace");
  }
  /// Whether parts may sum up their own rows. Else all rows of the tape go through the caches of
  /// all threads, and forward waits for each line that it writes until the others have dropped it.
  bool parts_have_sums(const Spec& spec, const Exec& exec) const {
    // Where bits must not depend on the threads, nor may this.
    if (!exec.same_for_all_threads && !parts_sum_up(partition.parts, exec.threads)) return false;
    const auto tape = static_cast<double>(g.unit_panels * g.lanes) *
                      (static_cast<double>(tape_rows) * g.cell.width +
                       static_cast<double>(state_rows) * (spec.cell.has_cell_state() ? 2 : 1));
    return sums_fit(partition.parts, static_cast<double>(weight_gradient_elements(spec)), tape);
  }
};

template <Real T>
typename Schedule<T>::Bookings Schedule<T>::book(WorkspaceLayout& layout, const Spec& spec,
                                                 const Exec& exec) {
  const Shapes s(spec, exec, kernels<T>().lanes);
  const Geometry& g = s.g;
  const bool lstm = spec.cell.has_cell_state(), reset = g.cell.reset.vectors > 0;
  const bool checkpoints = exec.recompute == Recompute::checkpoint;
  const auto book_if = [&](bool wanted, std::initializer_list<Index> extents) {
    return wanted ? layout.book<T>(checked_product(extents, "workspace")) : Booking<T>{};
  };
  Bookings b;
  b.parts = Parts::book(layout, spec.shape, s.partition.parts, s.tape_rows);
  b.segments = Segments::book(layout, spec.shape.T);
  b.gates = book_if(true, {g.unit_panels, g.gate_panel});
  b.reset_h = book_if(reset, {g.unit_panels, g.tape_panel});
  b.h = book_if(true, {g.unit_panels, g.state_panel});
  b.c = book_if(lstm, {g.unit_panels, g.state_panel});
  const Index kept = std::max<Index>(1, s.sizes.checkpoints);
  const Index parts = s.partition.parts;
  b.h_first = book_if(checkpoints, {kept, parts, g.part_states});
  b.c_first = book_if(lstm, {checkpoints ? kept : 1, parts, g.part_states});
  b.dh = book_if(true, {parts, g.part_gradients});
  b.dc = book_if(lstm, {parts, g.part_gradients});
  b.d_reset_h = book_if(reset, {parts, g.part_gradients});
  const Index copies = s.packs_for_all() ? 1 : std::min<Index>(exec.threads, parts);
  b.bias = book_if(true, {copies, g.unit_panels, g.gate_row});
  b.d_bias = book_if(true, {parts, g.part_bias});
  const Index forward = s.forward_weights(), backward = s.backward_weights();
  // Without recomputation, backward packs its weights where forward had its own.
  b.forward_weights = book_if(true, {copies, s.recomputes ? forward : std::max(forward, backward)});
  b.backward_weights = s.recomputes ? layout.book<T>(backward) : b.forward_weights;
  b.sums =
      book_if(s.parts_have_sums(spec, exec), {parts - 1, Shapes::weight_gradient_elements(spec)});
  b.x_block = layout.book<T>(InputBlock(spec.shape, g.lanes, exec.threads).size);
  b.shared = book_if(s.partition.way == Partition::Way::units, {2, g.shared_step});
  return b;
}

template <Real T>
Schedule<T>::Schedule(const Workspace& workspace, const Bookings& b, const Spec& spec,
                      const Exec& exec)
    : spec_(spec),
      recompute_(exec.recompute),
      partition_(fused::partition(spec, exec, sizeof(T))),
      block_rows_(block_rows(spec.shape, partition_)),
      shares_rows_(exec.threads > 1 &&
                   (partition_.parts > 1 || partition_.way == Partition::Way::units)),
      kernels_(kernels<T>()),
      g_(Shapes(spec, exec, kernels_.lanes).g),
      input_block_(spec.shape, kernels_.lanes, exec.threads),
      parts_(workspace, b.parts, spec.shape, partition_.parts),
      segments_(workspace, b.segments, Shapes(spec, exec, kernels_.lanes).sizes),
      backlog_(exec),
      gates_(workspace.at(b.gates)),
      reset_h_(workspace.at(b.reset_h)),
      h_(workspace.at(b.h)),
      c_(workspace.at(b.c)),
      h_first_(workspace.at(b.h_first)),
      c_first_(workspace.at(b.c_first)),
      dh_(workspace.at(b.dh)),
      dc_(workspace.at(b.dc)),
      d_reset_h_(workspace.at(b.d_reset_h)),
      bias_(workspace.at(b.bias)),
      d_bias_(workspace.at(b.d_bias)),
      sums_(workspace.at(b.sums)),
      x_block_(workspace.at(b.x_block)),
      shared_(workspace.at(b.shared)) {
  pointwise_ = kernels_.pointwise(spec.cell, tape_is_far());
  const Shapes s(spec, exec, kernels_.lanes);
  const auto place = [&](T*& at, Index of_all, const typename Shapes::Operand& operand) {
    const Index copy = s.packs_for_all() ? 0 : of_all;
    const Packed<T> packed{operand.tiling, operand.slice, operand.panel, copy, at};
    at += operand.size;
    return packed;
  };
  const Index forward = s.forward_weights(), backward = s.backward_weights();
  T* at = workspace.at(b.forward_weights);
  w_input_ = place(at, forward, s.input());
  w_hidden_ = place(at, forward, s.hidden());
  w_reset_ = place(at, forward, s.reset());
  at = workspace.at(b.backward_weights);
  w_back_ = place(at, backward, s.back());
  w_back_reset_ = place(at, backward, s.back_reset());
  w_back_input_ = place(at, backward, s.back_input());
}

template <Real T>
void Schedule<T>::start(const Inputs<const T>& in) {
  parts_.assign(in.lengths);
  segments_.assign(parts_.live());
  segment_ = 0;
  parts_.hold(segments_.begin(0), segments_.end(0), recompute_ == Recompute::checkpoint);
}

template <Real T>
Index Schedule<T>::state_row(Index part, Index t) const {
  return recompute_ == Recompute::gates ? parts_.row_of_all(part, t) : parts_.tape_row(part, t);
}

/// Rows of a panel, `stride` apart and `width` wide, for the other threads to read in step t, from
/// element `at` of their rows on.
template <Real T>
void Schedule<T>::share(const T* from, Index stride, Index width, Index t, Index panel, Index row,
                        Index rows, Index at) const {
  T* to = shared_at(t) + panel * g_.shared_panel + row * g_.gate_row + at;
  for (Index r = 0; r < rows; ++r, from += stride, to += g_.gate_row) std::copy_n(from, width, to);
}

template <Real T>
bool Schedule<T>::streams(const View<T>& to) const {
  constexpr std::size_t line = 64;
  const std::size_t vector = static_cast<std::size_t>(g_.lanes) * sizeof(T);
  const std::size_t row = static_cast<std::size_t>(to.extents()[2]) * sizeof(T);
  return (shares_rows_ || tape_is_far() || is_far(to.size())) && vector == line &&
         row % line == 0 && reinterpret_cast<std::uintptr_t>(to.data()) % line == 0;
}

template <Real T>
Panels<const T> Schedule<T>::c_prev(Index part, Index t) const {
  if (c_ == nullptr) return {};
  const bool first =
      t == 0 || (recompute_ == Recompute::checkpoint && t == segments_.begin(segment_));
  if (first) return {states_of(c_first_ + first_states(segment_), part), g_.first_panel};
  return {c(part, t - 1), g_.state_panel};
}

template class Schedule<float>;
template class Schedule<double>;

}  // namespace bptt::fused
