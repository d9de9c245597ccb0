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

/// What a step of a batch that is not cut takes, the mean of forward and backward, as far as it
/// decides between the ways to run it: in seconds, as measured where docs/fused.md says, but only
/// the proportions matter.
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
    steps_ahead_ = static_cast<double>(std::max(steps_ahead_at_least, rows_ahead / B));
    pointwise_ = pointwise_seconds * static_cast<double>(element_bytes) / 4 *
                 static_cast<double>(spec.cell.gates()) * static_cast<double>(B);
    rows_ = static_cast<double>(T) * static_cast<double>(B);
  }

  double alone(Index threads) const { return loop(1) + inputs(1) + outer() / count(threads); }
  /// Forward the loop and the inputs' products run at the same time. Going back, the others follow
  /// the loop: if dW is in short blocks they come to all of them but the last one at best. All do
  /// what is left.
  double ahead(Index threads) const {
    const double forward = std::max(loop(1), inputs(threads - 1)) + meeting(threads) / steps_ahead_;
    const double blocks = std::ceil(rows_ / weight_block_rows_behind);
    const double by_then =
        inputs(1) + (leaves_time_for_outer() ? 2 * outer() * (1 - 1 / blocks) : 0);
    const double left = inputs(1) + 2 * outer() - std::min(by_then, count(threads - 1) * loop(1));
    return (forward + loop(1) + left / count(threads)) / 2;
  }
  double units(Index threads) const {
    const double others = 1 - 1 / count(threads);
    return loop(threads) + inputs(threads) + meetings_ * meeting(threads) +
           others * told_bytes_ / told_rate + outer() / count(threads);
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
  double loop(Index threads) const {
    const auto shares = static_cast<double>(std::min(threads, unit_panels_));
    const double bytes = bytes_ / shares;
    const double product =
        std::max(flops_ / rate_ / shares, bytes / (bytes > near_bytes ? far_rate : near_rate));
    return product + pointwise_ * static_cast<double>(unit_panels_) / shares;
  }
  double inputs(Index threads) const {
    return input_flops_ / rate_ /
           static_cast<double>(std::min({threads, unit_panels_, input_panels_}));
  }

  /// dW, which is there in one of the two directions.
  double outer() const { return (flops_ + input_flops_) / rate_ / 2; }
  static double count(Index threads) { return static_cast<double>(threads); }

  Index lanes_, unit_panels_, input_panels_;
  double rate_, flops_, bytes_, input_flops_, told_bytes_, pointwise_, steps_ahead_, rows_;
  int meetings_;
};

/// With one row for each thread the time loop takes as long as reading the packed weights from the
/// second-level cache does; with two, multiplying takes about as long, and parts of the batch,
/// which never wait, beat shared units (docs/fused.md).
inline constexpr Index rows_worth_a_part = 2;

inline Partition partition(const Spec& spec, const Exec& exec, Index element_bytes) {
  using enum Partition::Way;
  const Index B = spec.shape.B, threads = exec.threads;
  // Packed piece by piece, by the thread that uses the piece.
  if (spec.shape.I > most_inputs_packed) return {1, threads > 1 ? units : Partition::Way::parts};
  const auto one_part = [&]() -> Partition {
    const StepModel step(spec, element_bytes);
    const bool blocks = step.leaves_time_for_outer(), always = exec.same_for_all_threads && blocks;
    if (threads == 1) return {1, Partition::Way::parts, always};
    const double by_units = step.units(threads), by_ahead = step.ahead(threads);
    if (step.alone(threads) <= std::min(by_units, by_ahead)) {
      return {1, Partition::Way::parts, always};
    }
    return by_units < by_ahead ? Partition{1, units, always} : Partition{1, ahead, blocks};
  };
  if (exec.same_for_all_threads) {
    // The order of sums over the batch follows from the parts, so these must not depend on threads.
    const Index count = std::clamp<Index>(B / (2 * rows_worth_a_part), 1, 16);
    return count == 1 ? one_part() : Partition{count};
  }
  if (threads > 1 && B >= threads * rows_worth_a_part) return {threads};
  return one_part();
}

/// Rows of a block of dW, at most: short blocks are as even as whole steps allow.
inline Index block_rows(const Shape& shape, const Partition& partition) {
  if (!partition.short_blocks) return weight_block_rows;
  const Index rows = shape.T * shape.B;
  return divided_up(rows, divided_up(rows, weight_block_rows_behind));
}

}  // namespace bptt::fused
