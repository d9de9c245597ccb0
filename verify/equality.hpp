// A backend against naive in the next higher precision, and against itself: the same plan run again
// after other data, and other thread counts.
#pragma once

#include <cstdint>
#include <vector>

#include "impls/api/backend.hpp"
#include "verify/cases.hpp"
#include "verify/result.hpp"

namespace bptt::verify {

struct EqualityOptions {
  std::vector<int> threads = {1};
  std::uint64_t seed = 1;
  bool localise = true;  ///< name the time step of a wrong tensor without a time axis (costs runs)
};

/// One result per thread count. The checks:
///   equality     every tensor, per time step and gate, within the limit; NaN and Inf never pass
///   padding      y and dx are exactly zero beyond a sequence's length
///   final-state  hT is bitwise y of the sequence's last step; a sequence of length 0 passes its
///                state and its gradient through bitwise
///   reuse        data A, data B, data A again on one plan: both results of A bitwise equal
///   threads      bitwise equal for all thread counts, where the backend promises it
template <Real T>
std::vector<Result> check_equality(const Backend&, const Case&, const Reference<T>&,
                                   const EqualityOptions&);

/// Fills in the time step of findings in tensors without a time axis, by lighting the upstream
/// gradient of `reference` step by step.
template <Real T>
void localise(const Backend&, const Exec&, const Reference<T>& reference, std::uint64_t seed,
              std::vector<Finding>&);

/// Inputs of a case, drawn from the seed, representable in T, held in double.
template <Real T>
void draw_case(const Case&, std::uint64_t seed, Problem<double>& p);

/// draw_case and make_reference in one.
template <Real T>
std::unique_ptr<Reference<T>> reference_of(const Case&, std::uint64_t seed);

}  // namespace bptt::verify
