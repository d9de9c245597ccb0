// Norms of dh_T/dh_k over k, measured through a backend's own backward pass.
#pragma once

#include <optional>
#include <vector>

#include "impls/api/backend.hpp"
#include "verify/flow/initialisations.hpp"
#include "verify/flow/rows.hpp"

namespace bptt::verify::flow {

/// Long enough for what is to be shown, and short enough for (gamma sigma_max)^T to stay a number.
inline constexpr Index longest = 1000;

/// Lags are all of 1..T up to this T, and this many of them, evenly spread, beyond.
inline constexpr Index most_lags = 50;
std::vector<Index> lags_of(Index T);

/// The largest slope of the activation, gamma: 1/4 for sigmoid, 1 for the others. Nothing for lstm
/// and gru, for which there is no bound in W_hh alone.
std::optional<double> largest_slope(const Cell&);

/// A network to be looked at. Its inputs, one sequence of T steps of width H, are in [-1, 1), its
/// h0 and c0 in [0, 1).
struct Network {
  Cell cell;
  Initialisation initialisation;
  Index T = 50, H = 16;
  std::uint64_t seed = 1;
};

/// The spec of the longest run; backends are asked whether they refuse it.
Spec spec_of(const Network&, Index steps);

/// Rows for each of lags_of(T), lag 1 first. For each lag one forward and one backward pass over
/// the last `lag` steps, in a batch of H equal sequences that start from h_(T-lag): dhT is the
/// identity, so the rows of dh0 are those of the Jacobian.
std::vector<Row> measure(const Backend&, Dtype, const Network&);

/// Whether norm <= bound, but for the rounding of `lag` backward steps in this precision. A norm
/// that is not finite, NaN included, is out of range where the bound is, too, and else violates it.
Verdict verdict_of(double norm, double bound, Index lag, Index H, Dtype);

}  // namespace bptt::verify::flow
