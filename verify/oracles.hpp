// The oracles: what a gradient must be, without looking at how it was computed. Three legs for
// every element of every parameter, input and initial state of a small case:
//
//   analytic            backward of the backend judged, in f64
//   complex step        Im L(theta + i h) / h, h = 1e-30, exact to rounding (Squire and Trapp 1998)
//   finite differences  central, in long double, Richardson-extrapolated, with an error estimate of
//                       its own from the extrapolation table (Ridders 1982)
//
// of L = <dy,y> + <dhT,hT> + <dcT,cT>. Where they disagree, the leg that disagrees with both others
// is named.
#pragma once

#include <cstdint>

#include "impls/api/backend.hpp"
#include "verify/cases.hpp"
#include "verify/result.hpp"

namespace bptt::verify {

/// Judges the backend's f64 gradient at one thread. `reference` gives the inputs and, in its units,
/// the rounding error that any of the legs may have.
Result check_gradient(const Backend&, const Case&, const Reference<double>& reference,
                      std::uint64_t seed);

}  // namespace bptt::verify
