// About what PyTorch allocates at the most while layers run forward and backward.
#pragma once

#include <cstddef>

#include "impls/api/stack_spec.hpp"
#include "impls/torch/layers.hpp"

namespace bptt::torch {

/// Elements, whatever their type. A plan itself takes nothing.
Index workspace_elements(const StackSpec&, Path);

}  // namespace bptt::torch
