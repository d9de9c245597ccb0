// Forward and backward passes through oneDNN's RNN primitives: of one layer, and of whole stacks.
#pragma once

#include <memory>

#include "impls/api/stack_plan.hpp"
#include "impls/onednn/cell_map.hpp"

namespace bptt::onednn {

/// What the plan will allocate. Both throw dnnl::error where oneDNN has no primitive for the case.
std::size_t workspace_bytes(const Spec&, const Exec&, const CellMap&);
std::size_t workspace_bytes(const StackSpec&, const Exec&, const CellMap&);

/// Both throw dnnl::error.
std::unique_ptr<Plan<float>> make_plan(const Spec&, const Exec&, const CellMap&);
std::unique_ptr<StackPlan<float>> make_plan(const StackSpec&, const Exec&, const CellMap&);

}  // namespace bptt::onednn
