// The char-lm workload: every backend learns the same text from the same start, side by side.
#pragma once

#include <iosfwd>

#include "bench/char_lm/corpus.hpp"
#include "bench/char_lm/files.hpp"
#include "bench/journal.hpp"
#include "bench/sweep.hpp"

namespace bptt::bench {

/// The cases of `settings`, with as many inputs as the text has different bytes.
std::vector<Case> char_lm_cases(const Settings&, const Corpus&);

/// The settings under which a sweep's cost model estimates a training.
Settings as_sweep(const Settings&);

/// Trains every case on every backend, in turns step by step, so that the same drift of the machine
/// meets all; one row a step. Checks that each loss falls, and that each curve is the reference's
/// (see CurveBound; the reference trains along untimed). A backend that fails a check has its rows
/// marked as failed; what fails unexpectedly becomes a refused row that says why. At a case's end
/// the first backend whose training is sound leaves its model (see CharLmFiles).
Outcome run_char_lm(const Settings&, const Corpus&, CharLmFiles&, const Verifier&,
                    const Backend& reference, Journal&, std::ostream& out);

}  // namespace bptt::bench
