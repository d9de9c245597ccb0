// Checks a backend at a benchmark's own shape, before it is timed there, in a second or two: naive
// in the next higher precision is too slow for the whole batch, but rows of a batch are
// independent.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "impls/api/backend.hpp"

namespace bptt::verify {

struct AtShape {
  enum class Status {
    full,     ///< at this shape
    reduced,  ///< at fewer time steps, or fewer units, as `note` says
    failed,
  };
  Status status = Status::full;
  double max_error =
      0;             ///< in units of the limit: above 1 fails; infinite for NaN, Inf, exact checks
  std::string note;  ///< what failed and where, or how it was reduced
};
std::string_view name_of(AtShape::Status);

/// Runs the backend over the full batch, with upstream gradients in a few rows (first, middle,
/// last; with lengths the longest, the shortest and one between them) and zero in all others. The
/// sampled rows' y, hT, cT, dx, dh0, dc0 and *all* gradients of parameters are compared with naive
/// in the next higher precision over those rows alone; dx, dh0, dc0 of the other rows must be
/// exactly zero, their y and states finite. Where naive would take longer than about two seconds, T
/// is cut, and lengths in proportion, then the number of rows, then H and I.
///
/// `lengths` [B] in 0..T where the spec has lengths, else none.
///
/// Throws Error(unavailable) where the backend refuses the case or its tensors do not fit in
/// memory.
AtShape check_at_shape(const Backend&, const Spec&, Dtype, const Exec&, std::uint64_t seed,
                       std::span<const Index> lengths = {});

}  // namespace bptt::verify
