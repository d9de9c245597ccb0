// A run of bptt-verify: which checks, in which order, over which cases and files.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "verify/cases.hpp"
#include "verify/result.hpp"
#include "verify/settings.hpp"

namespace bptt::verify {

/// The cases that the settings choose.
std::vector<Case> chosen_cases(const Settings&);
/// The same of those that are checked along directions.
std::vector<Case> chosen_direction_cases(const Settings&);

/// Called before each case or file: the share of the work that is done, and what is next.
using Progress = std::function<void(double share, const std::string& what)>;

/// Everything the settings ask for. What runs naive only (references, oracles, naive as one of the
/// backends) is computed ahead by threads of their own; other backends run one at a time. A golden
/// file that cannot be read is a result like any other.
std::vector<Result> run_checks(const Settings&, const Progress&);

}  // namespace bptt::verify
