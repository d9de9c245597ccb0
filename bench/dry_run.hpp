// What is printed instead of measuring: the cases with estimates, the backends, the presets.
#pragma once

#include <iosfwd>

#include "bench/cost.hpp"

namespace bptt::bench {

/// Every case on every backend with its memory and time, and the total.
void print_dry_run(const Settings&, const std::vector<Case>&, CostModel&, std::ostream&);

/// What is built in, and what is not and why.
void print_backends(std::ostream&);

void print_presets(std::ostream&);

}  // namespace bptt::bench
