// A plan of the backend `torch`: what nn.RNN, nn.LSTM and nn.GRU run, forward and through autograd.
#pragma once

#include <memory>

#include "impls/api/plan.hpp"

namespace bptt::torch {

/// About what PyTorch will allocate at the most while the plan runs (plan.cpp has the measure). The
/// plan itself takes nothing.
template <Real T>
std::size_t workspace_bytes(const Spec&);

/// For cases that the backend does not refuse.
template <Real T>
std::unique_ptr<Plan<T>> make_plan(const Spec&, const Exec&);

}  // namespace bptt::torch
