// What is timed of a layer.
#pragma once

#include <string_view>

#include "impls/api/stack_spec.hpp"

namespace bptt::bench {

enum class Phase { forward, backward, train_step };

std::string_view name_of(Phase);
/// Throws Error(usage) listing the known names.
Phase parse_phase(std::string_view);
/// Of one call over so many steps of sequences; train_step is forward and backward.
double flops_of(Phase, const StackSpec&, Index live_steps);
/// Over all T*B.
double flops_of(Phase, const StackSpec&);

}  // namespace bptt::bench
