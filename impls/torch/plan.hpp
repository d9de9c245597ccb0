// Plans of the backend `torch`: what nn.RNN, nn.LSTM and nn.GRU run, forward and through autograd.
#pragma once

#include <memory>

#include "impls/api/stack_plan.hpp"

namespace bptt::torch {

/// About what PyTorch will allocate at the most while a plan of the layers runs.
template <Real T>
std::size_t workspace_bytes(const StackSpec&);

/// A layer as a stack of one.
inline StackSpec stack_of(const Spec& spec) {
  return {spec.cell, spec.shape, 1, false, spec.lengths};
}

/// For cases that the backend does not refuse.
template <Real T>
std::unique_ptr<Plan<T>> make_plan(const Spec&, const Exec&);
template <Real T>
std::unique_ptr<StackPlan<T>> make_stack_plan(const StackSpec&, const Exec&);

}  // namespace bptt::torch
