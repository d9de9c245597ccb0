// The flag --lengths, understood, and what other flags have to be with it.
#pragma once

#include <vector>

#include "bench/flag_values.hpp"
#include "bench/settings.hpp"

namespace bptt::bench {

/// Each spread of the list once. Throws as Spread::parse does, and Error(usage) for files of one
/// name.
std::vector<Spread> spreads_of(const FlagValues&);

/// Throws Error(usage) for a workload that has no lengths, and for a batch too large to have them.
void check_lengths(const Settings&);

}  // namespace bptt::bench
