// The gradient along directions, at the shapes that are benchmarked: element by element, an oracle
// would take hours there.
//
// In f64 the check is named "direction". For each part of each tensor that a bug may be confined to
// (verify/direction_parts.hpp: one time step of one sequence, one gate, one unit's row, ...) a
// direction d of random signs +-1 is drawn there, zero elsewhere, and <grad, d> of the backend's
// backward is held against the Richardson-extrapolated central difference of the backend's *own
// forward* along d. All directions are judged under two losses: with all upstream gradients lit,
// and with those of each sequence's own end alone, so that what comes from far back in time is not
// buried under what comes from near by. What forward gives is compared with naive's ("equality"),
// since a forward pass and its derivative can be wrong alike.
//
// In f32, where differences drown in rounding, every element of every result is compared with naive
// in f64 over the same batch ("equality").
#pragma once

#include <cstdint>
#include <vector>

#include "impls/api/backend.hpp"
#include "verify/cases.hpp"
#include "verify/direction_parts.hpp"
#include "verify/result.hpp"

namespace bptt::verify {

/// The cases: one layer of each kind of cell and a stack, with the extents of a benchmark. Those of
/// `--quick` are marked.
const std::vector<Case>& direction_cases();

/// Inputs, directions, and what naive makes of them: computed once, used for every backend.
class DirectionCheck {
 public:
  /// `case_` may be any whose loss is <dy,y> + <dhT,hT> + <dcT,cT> and whose rows are independent:
  /// a layer, a stack without head; and no kink of relu, which a difference would cross. It must
  /// outlive this.
  DirectionCheck(const Case& case_, std::uint64_t seed);

  /// In f64 a slice is one direction under one loss. A tensor that is wrong along some direction is
  /// one finding, whose place is the smallest part that is, and whose message names others. Refused
  /// where the backend refuses, with its reason.
  Result check(const Backend&, Dtype, const Exec&) const;

 private:
  template <Real T>
  void check(const Backend&, const Exec&, Result&) const;

  const Case& case_;
  std::uint64_t seed_;
  std::vector<Part> parts_;
  Reference<float> reference_;
};

}  // namespace bptt::verify
