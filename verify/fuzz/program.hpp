// bptt-verify --fuzz and --case: from settings to results, and what the terminal says of a fuzz run
// beside the report of its results.
#pragma once

#include <iosfwd>
#include <vector>

#include "verify/fuzz/campaign.hpp"
#include "verify/settings.hpp"

namespace bptt::verify::fuzz {

/// Of the settings' backends, restrictions and seed. Ctrl-C ends the run after the case it is at.
Outcome run_fuzz(const verify::Settings&, std::vector<Result>& results);

/// The case in words. Throws Error(usage) where it is not one.
std::vector<Result> run_case(const verify::Settings&);

/// What each backend did, how fast it went, what was refused, and each failure as it was drawn.
void print_outcome(std::ostream&, const verify::Settings&, const Outcome&);

}  // namespace bptt::verify::fuzz
