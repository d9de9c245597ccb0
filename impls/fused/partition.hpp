// How a case is divided among threads.
#pragma once

#include <algorithm>
#include <cmath>

#include "impls/api/exec.hpp"
#include "impls/fused/blocks.hpp"

namespace bptt::fused {

/// All threads share the packing unless parts have copies of the weights of their own
/// (schedule.cpp), and the weights' gradients unless parts have sums (weight_gradients.cpp).
struct Partition {
  enum class Way {
    parts,  ///< the batch is cut, or not; each part runs through time without waiting for another
    units,  ///< one part; in every step each thread has its own hidden units, and all meet
    ahead,  ///< one part; one thread runs the time loop, the others are ahead of it (x W_ih^T) and
            ///< behind it (dx, dW)
  };
  Index parts = 1;
  Way way = Way::parts;
  /// Sums for dW are taken in short blocks, which threads behind the time loop can do one after
  /// another. Where results must not depend on the threads, this does not either.
  bool short_blocks = false;
};

/// Where other threads are ahead, they are a chunk of steps ahead; the time loop waits for the
/// first one. So many steps that it does not meet them often, and about so many rows.
inline constexpr Index steps_ahead_at_least = 8, rows_ahead = 32;

/// For dW each part sums up its own rows, and all threads add up these sums; not where some threads
/// would have more parts than others, or most of them none, or where the sums of all parts but the
/// first would take more than half of what the tape takes (in elements). Then each thread takes
/// some columns of dW for all rows.
inline bool parts_sum_up(Index parts, Index threads) {
  return parts % threads == 0 || (parts < threads && 2 * parts >= threads);
}
inline bool sums_fit(Index parts, double weight_gradient, double tape) {
  return parts > 1 && 2 * static_cast<double>(parts - 1) * weight_gradient <= tape;
}

/// What a step takes, the mean of forward and backward, as far as it decides between the ways: in
/// seconds, as measured where docs/fused.md says, but only the proportions matter.
class StepModel {
 public:
  StepModel(const Spec& spec, Index element_bytes)
      : lanes_(vector_bytes / element_bytes),
        rate_(flops_times_bytes / static_cast<double>(element_bytes)) {
    const auto& [T, B, I, H] = spec.shape;
    const double weights =
        static_cast<double>(spec.cell.gates()) * static_cast<double>(H) * static_cast<double>(H);
    flops_ = 2 * static_cast<double>(B) * weights;
    bytes_ = static_cast<double>(element_bytes) * weights;
    input_flops_ = flops_ / static_cast<double>(H) * static_cast<double>(I);
    const bool two_products =
        spec.cell.kind == CellKind::gru && spec.cell.reset == GruReset::before_matmul;
    meetings_ = two_products ? 2 : 1;
    // Forward h, or h and r h; backward the gradients of all gates: the mean of the two.
    const double states =
        static_cast<double>(element_bytes) * static_cast<double>(B) * static_cast<double>(H);
    told_bytes_ = states * (meetings_ + static_cast<double>(spec.cell.gates())) / 2;
    unit_panels_ = divided_up(H, lanes_);
    input_panels_ = divided_up(I, lanes_);
    steps_ahead_ = static_cast<double>(std::min(T, std::max(steps_ahead_at_least, rows_ahead / B)));
    pointwise_ = pointwise_seconds * static_cast<double>(element_bytes) / 4 *
                 static_cast<double>(spec.cell.gates()) * static_cast<double>(B);
    gates_bytes_ = states * static_cast<double>(spec.cell.gates());
    steps_ = static_cast<double>(T);
    rows_ = steps_ * static_cast<double>(B);
    const int width = cell_layout(spec.cell).width + (spec.cell.has_cell_state() ? 2 : 1);
    tape_ = rows_ * count(unit_panels_) * count(lanes_) * width;
    weight_gradient_ = weights / static_cast<double>(H) * static_cast<double>(I + H);
    element_bytes_ = static_cast<double>(element_bytes);
    sequences_ = B;
  }

  double alone(Index threads) const { return loop(1) + inputs(1) + outer() / workers(threads); }
  /// The batch cut into as many parts as there are threads, or rows.
  double parts(Index threads) const {
    const Index cut = std::min(sequences_, threads);
    const double share = count(divided_up(sequences_, cut)) / count(sequences_);
    double weights = 0;
    if (parts_sum_up(cut, threads) && sums_fit(cut, weight_gradient_, tape_)) {
      const double sums = count(cut - 1) / count(threads) * weight_gradient_ * element_bytes_;
      weights = outer() * share + sums / told_rate / steps_ / 2;
    } else {
      const double others = 1 - 1 / count(threads);
      weights = outer() / workers(threads) + others * gates_bytes_ / told_rate / 2;
    }
    return loop(1, share) + inputs(1) * share + weights;
  }
  /// Forward the loop and the inputs' products run at the same time, but for the first chunk's,
  /// which all do. Going back, the others follow the loop, a chunk behind it: if dW is in short
  /// blocks they come to all of them but the last one at best. All do what is left.
  double ahead(Index threads) const {
    const double step = loop(1), first = steps_ahead_ / steps_;
    const double forward = first * (inputs(threads) + step) +
                           (1 - first) * std::max(step, inputs(threads - 1)) +
                           meeting(threads) / steps_ahead_;
    const double blocks = std::ceil(rows_ / weight_block_rows_behind);
    const double by_then =
        (1 - first) * inputs(1) + (leaves_time_for_outer() ? 2 * outer() * (1 - 1 / blocks) : 0);
    const double left =
        inputs(1) + 2 * outer() - std::min(by_then, count(threads - 1) * (1 - first) * step);
    return (forward + step + left / workers(threads)) / 2;
  }
  double units(Index threads) const {
    const double others = 1 - 1 / count(threads);
    return loop(threads) + inputs(threads) + meetings_ * meeting(threads) +
           others * told_bytes_ / told_rate + outer() / workers(threads);
  }

  /// Whether one thread that follows the time loop can do a quarter of dW meanwhile: then it pays
  /// to have that in short blocks. It does not depend on how many threads there are.
  bool leaves_time_for_outer() const { return loop(1) - inputs(1) > outer() / 2; }

 private:
  /// The longest vectors: where they are shorter, there are more panels to share.
  static constexpr Index vector_bytes = 64;
  /// In a second: 100e9 operations on 4 bytes, 50e9 on 8.
  static constexpr double flops_times_bytes = 400e9;
  /// Waiting for the others, and how fast a thread then fetches what they have written. That it
  /// takes longer with more threads is an assumption.
  static double meeting(Index threads) { return 0.1e-6 * static_cast<double>(threads); }
  static constexpr double told_rate = 2.5e9;
  /// What W_hh may fill of a second-level cache, and how fast it is read from there and from the
  /// third.
  static constexpr double near_bytes = 800 << 10, near_rate = 100e9, far_rate = 70e9;

  /// The pointwise work of a gate on a vector of floats.
  static constexpr double pointwise_seconds = 18e-9;

  /// With few rows, the product of a step takes as long as reading the packed weights does.
  /// `of_rows`: for that part of the batch.
  double loop(Index threads, double of_rows = 1) const {
    const auto shares = static_cast<double>(std::min(threads, unit_panels_));
    const double bytes = bytes_ / shares;
    const double product = std::max(of_rows * flops_ / rate_ / shares,
                                    bytes / (bytes > near_bytes ? far_rate : near_rate));
    return product + of_rows * pointwise_ * static_cast<double>(unit_panels_) / shares;
  }
  /// Threads that have a share in a product of many rows, which are shared by panels.
  double workers(Index threads) const {
    return count(std::min({threads, unit_panels_, input_panels_}));
  }
  double inputs(Index threads) const { return input_flops_ / rate_ / workers(threads); }

  /// dW, which is there in one of the two directions.
  double outer() const { return (flops_ + input_flops_) / rate_ / 2; }
  static double count(Index threads) { return static_cast<double>(threads); }

  Index lanes_, sequences_, unit_panels_, input_panels_;
  double rate_, flops_, bytes_, input_flops_, told_bytes_, gates_bytes_, pointwise_;
  double steps_ahead_, steps_, rows_, tape_, weight_gradient_, element_bytes_;
  int meetings_;
};

/// Where results must not depend on the threads, the batch is cut into parts of this many rows,
/// which fill a register tile, or of more: many parts are even over 2, 4 or 8 threads.
inline constexpr Index rows_of_a_fixed_part = 4, most_fixed_parts = 16;

/// Parts never wait for each other, a thread that is ahead hardly ever does, and threads that share
/// units do all the time. Who waits more must be better by this much: where processors are further
/// apart than those of the model, or busy, waiting takes longer.
inline constexpr double gain_worth_waiting = 1.04;

inline Partition partition(const Spec& spec, const Exec& exec, Index element_bytes) {
  using enum Partition::Way;
  const Index B = spec.shape.B, threads = exec.threads;
  // Packed piece by piece, by the thread that uses the piece.
  if (spec.shape.I > most_inputs_packed) return {1, threads > 1 ? units : Partition::Way::parts};
  Index cut = std::min(B, threads);
  if (exec.same_for_all_threads) {
    // The order of sums over the batch follows from the parts, so these must not depend on threads.
    cut = std::clamp<Index>(B / rows_of_a_fixed_part, 1, most_fixed_parts);
    if (cut > 1) return {cut};
  }
  const StepModel step(spec, element_bytes);
  const bool blocks = step.leaves_time_for_outer(), always = exec.same_for_all_threads && blocks;
  const Partition one_part{1, Partition::Way::parts, always};
  if (threads == 1) return one_part;

  const double by_alone = step.alone(threads), by_ahead = step.ahead(threads);
  const double hardly_waiting = std::min(by_alone, by_ahead), by_units = step.units(threads);
  if (cut > 1 && step.parts(threads) <= gain_worth_waiting * std::min(by_units, hardly_waiting)) {
    return {cut};
  }
  if (by_units * gain_worth_waiting < hardly_waiting) return {1, units, always};
  return by_alone <= by_ahead ? one_part : Partition{1, ahead, blocks};
}

/// Rows of a block of dW, at most: short blocks are as even as whole steps allow.
inline Index block_rows(const Shape& shape, const Partition& partition) {
  if (!partition.short_blocks) return weight_block_rows;
  const Index rows = shape.T * shape.B;
  return divided_up(rows, divided_up(rows, weight_block_rows_behind));
}

}  // namespace bptt::fused
