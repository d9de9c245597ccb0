// Series for charts: cases that differ in one extent only.
#pragma once

#include <string_view>
#include <vector>

#include "reports/study.hpp"

namespace bptt::report {

/// An extent that is swept.
struct Axis {
  std::string_view name;   ///< as in case_fields()
  std::string_view title;  ///< "sequence length T"
  Index Case::*extent;
};
const std::vector<Axis>& axes();

/// The results along one axis, two points at least, in ascending order. Where the width of the
/// input is everywhere that of the state, it is swept with it (`input_follows_hidden`), as in
/// stacks.
struct Sweep {
  const Axis* axis = nullptr;
  bool input_follows_hidden = false;
  std::vector<const CaseResult*> points;

  /// What is the same along the sweep, but for cell, dtype and phase: "B=64, I=H=128, threads=2".
  std::string fixed(bool several_hosts) const;
};

/// All sweeps of the layer workload along `axis`, in the order of Case.
std::vector<Sweep> sweeps_along(const Axis& axis, const Study&);

}  // namespace bptt::report
