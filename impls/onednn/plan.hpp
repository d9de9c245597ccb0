// A layer's forward and backward pass through oneDNN's RNN primitives.
#pragma once

#include <memory>

#include "impls/api/plan.hpp"
#include "impls/onednn/cell_map.hpp"

namespace bptt::onednn {

/// What the plan will allocate. Throws dnnl::error where oneDNN has no primitive for the case.
std::size_t workspace_bytes(const Spec&, const Exec&, const CellMap&);

/// Throws dnnl::error.
std::unique_ptr<Plan<float>> make_plan(const Spec&, const Exec&, const CellMap&);

}  // namespace bptt::onednn
