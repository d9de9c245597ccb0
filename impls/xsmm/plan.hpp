// An lstm's forward and backward pass through libxsmm's rnncell.
#pragma once

#include <memory>

#include "impls/api/plan.hpp"

namespace bptt::xsmm {

/// What the plan will allocate.
std::size_t workspace_bytes(const Spec&, const Exec&);

std::unique_ptr<Plan<float>> make_plan(const Spec&, const Exec&);

}  // namespace bptt::xsmm
