// The layer workload: every case on every backend, verified, then timed in turns.
#pragma once

#include <iosfwd>

#include "bench/cost.hpp"
#include "bench/journal.hpp"
#include "bench/limits/limits.hpp"
#include "bench/verdict.hpp"

namespace bptt::bench {

/// What a workload did, beside the rows in the journal.
struct Outcome {
  bool wrong = false;         ///< a backend failed a check
  bool inconclusive = false;  ///< a check could not be made
  bool interrupted = false;
  bool broken = false;  ///< something failed unexpectedly; its rows' notes say what
  bool used = false;    ///< a trained model was put to use, measured or not
};

/// Measures the cases of `settings` in order and writes each when it is done: rows, and a table to
/// `out`. A backend that refuses a case, or fails its verification, gets a row that says why. In
/// each round every backend is measured once, and each round begins with another one, so that the
/// same drift of the machine meets all. Stops at program::interrupted(), with what was measured
/// written.
/// Rows tell their bound as far as the limits were measured.
Outcome run_sweep(const Settings&, const Verifier&, CostModel&, Journal&, std::ostream& out,
                  const Limits& limits = {});

}  // namespace bptt::bench
