// One trial of a fuzz run: a case and how it is run. Trial k of a seed depends on the two alone
// (and on what the run is restricted to).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "impls/api/exec.hpp"
#include "impls/api/scalar.hpp"
#include "verify/fuzz/description.hpp"

namespace bptt::verify::fuzz {

struct Trial {
  Description what;
  Dtype dtype = Dtype::f32;
  int threads = 1;  ///< above 1: bits are compared with those of one thread as well
  Recompute recompute = Recompute::none;
  std::uint64_t seed = 1;  ///< of the inputs, with the case's text

  std::vector<int> thread_counts() const;
};

/// What a run is restricted to; empty: nothing.
struct Restrictions {
  std::vector<std::string> cells;  ///< as to_string has them
  std::vector<Dtype> dtypes;
  std::vector<int> threads;
  std::vector<Recompute> recompute;
};

/// Trial `k` of the seed: every cell with every combination of options that is valid, extents that
/// favour 1, primes, powers of two and multiples of 8 and 16 with their neighbours, lengths, absent
/// tensors, stacks, heads. The work is bounded.
Trial draw_trial(std::uint64_t seed, std::uint64_t k, const Restrictions&);

}  // namespace bptt::verify::fuzz
