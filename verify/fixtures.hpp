// The rule that a suite with bad inputs fails: what is inconclusive was not checked, and a suite
// that checks little must not look as if it had passed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "verify/result.hpp"

namespace bptt::verify {

/// More than this share of the slices inconclusive means bad fixtures.
inline constexpr double most_inconclusive = 0.05;
/// Fewer slices than these say little about the suite: a run of one case with one weak slice is
/// inconclusive, not failed.
inline constexpr Index least_slices = 1000;

/// A failing result (kind "suite", check "fixtures") where more than 5% of the slices are
/// inconclusive in one kind of the suite's own cases (gradient, direction, equality, property,
/// values) in one precision: kinds with many slices must not hide those with few. Golden files are
/// somebody else's fixtures, and what is drawn at random is no fixture: neither counts.
std::optional<Result> judge_fixtures(const std::vector<Result>&, std::uint64_t seed);

}  // namespace bptt::verify
