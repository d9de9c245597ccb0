// The self-test: plants faults in honest backends, runs every check on each, and says which checks
// caught it, whether the right one did, and which checks nothing would be lost without.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "verify/self_test/checks.hpp"
#include "verify/self_test/outcome.hpp"

namespace bptt::verify::self_test {

/// Called before each fault: the share of the work that is done, and what is next.
using Progress = std::function<void(double share, const std::string& what)>;

/// The first backend has a thread of its own beside that of the others, and checks of its own:
/// `make_checks` is called once for each.
SelfTest run(const std::vector<PlantedFault>&,
             const std::function<std::vector<CheckForSelfTest>()>& make_checks,
             std::span<const Backend* const>, const Progress& = {});

}  // namespace bptt::verify::self_test
