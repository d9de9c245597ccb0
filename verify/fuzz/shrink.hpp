// A failing trial made small: options, lengths, layers and threads dropped, extents halved, as long
// as it still fails.
#pragma once

#include <functional>

#include "verify/fuzz/trial.hpp"

namespace bptt::verify::fuzz {

/// Every trial that is one step simpler, what saves most first. Each step leads one way only, so
/// that going on from any of them comes to an end.
std::vector<Trial> simpler(const Trial&);

/// The first of simpler() that still fails, again and again, until none does or `most_runs` were
/// tried. `fails` is not asked about the trial itself.
Trial shrink(const Trial&, const std::function<bool(const Trial&)>& fails, int most_runs);

}  // namespace bptt::verify::fuzz
