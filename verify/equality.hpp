// A backend against naive in the next higher precision, and against itself: the same model run
// again after other data, other thread counts, other ways to save memory.
#pragma once

#include <cstdint>
#include <vector>

#include "impls/api/backend.hpp"
#include "verify/cases.hpp"
#include "verify/result.hpp"

namespace bptt::verify {

struct EqualityOptions {
  std::vector<int> threads = {1};
  std::vector<Recompute> recompute = {Recompute::none};
  std::uint64_t seed = 1;
  bool localise = true;  ///< name the time step of a wrong tensor without a time axis (costs runs)
};

/// One result per way to recompute and thread count. The checks:
///   equality     every tensor, per time step and gate, within the limit; NaN and Inf never pass
///   padding      y and dx are exactly zero beyond a sequence's length
///   no-effect    gradients of a gate that the cell does not have are exactly zero
///   final-state  hT is bitwise y of the sequence's last step; a sequence of length 0 passes its
///                state and its gradient through bitwise
///   reuse        data A, data B, data A again on one model: both results of A bitwise equal
///   threads      bitwise equal for all thread counts, where the backend promises it; where it does
///                so only for Exec::same_for_all_threads, then, and within the limit then as well
template <Real T>
std::vector<Result> check_equality(const Backend&, const Case&, const Reference<T>&,
                                   const EqualityOptions&);

/// The reference of a case's inputs, which are drawn from the seed.
template <Real T>
Reference<T> reference_of(const Case&, std::uint64_t seed);

}  // namespace bptt::verify
