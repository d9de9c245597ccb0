// How much of a layer is run and counted.
#pragma once

#include <string_view>

#include "impls/api/stack_spec.hpp"

namespace bptt::bench {

/// `recurrent_only` is for figures published without the product of input and weights (DeepBench):
/// the input has a single feature, whose product is 1/H of the recurrent one, and FLOPs are those
/// of the recurrent product alone.
enum class Mode { full_layer, recurrent_only };

std::string_view name_of(Mode);
/// Throws Error(usage) listing the known names; `flag` begins the message.
Mode parse_mode(std::string_view flag, std::string_view text);

}  // namespace bptt::bench
