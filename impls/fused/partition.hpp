// How a case is divided among threads.
#pragma once

#include "impls/api/exec.hpp"
#include "impls/fused/blocks.hpp"

namespace bptt::fused {

/// Either the batch is cut into parts, each of which runs through time without waiting for another;
/// or all threads share one part, each with its own hidden units, and meet in every step; or one
/// thread runs the time loop alone. (All of them share the packing and the weights' gradients.)
struct Partition {
  Index parts = 1;
  bool split_units = false;
};

/// Splitting the units saves a step's work on the other threads, and costs a barrier: about as much
/// time as this many multiplications take.
inline constexpr double flops_of_a_barrier = 60e3;

inline bool worth_splitting(const Spec& spec, Index threads) {
  const auto& [T, B, I, H] = spec.shape;
  const double step = 2.0 * double(B) * double(spec.cell.gates()) * double(H) * double(H + I);
  return threads > 1 && step > 2 * flops_of_a_barrier;
}

/// With one row for each thread the time loop takes as long as reading the packed weights from the
/// second-level cache does; with two, multiplying takes about as long, and parts of the batch,
/// which never wait, beat shared units (docs/fused.md).
inline constexpr Index rows_worth_a_part = 2;

inline Partition partition(const Spec& spec, const Exec& exec) {
  const Index B = spec.shape.B, threads = exec.threads;
  // Packed piece by piece, by the thread that uses the piece.
  if (spec.shape.I > most_inputs_packed) return {1, threads > 1};
  if (exec.same_for_all_threads) {
    // The order of sums over the batch follows from the parts, so these must not depend on threads.
    const Index parts = std::clamp<Index>(B / (2 * rows_worth_a_part), 1, 16);
    return {parts, parts == 1 && worth_splitting(spec, threads)};
  }
  if (threads == 1) return {1, false};
  if (B >= threads * rows_worth_a_part) return {threads, false};
  return {1, worth_splitting(spec, threads)};
}

}  // namespace bptt::fused
