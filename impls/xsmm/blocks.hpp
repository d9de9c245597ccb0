// How libxsmm cuts a layer: blocks of batch, hidden units and inputs, which must divide them.
#pragma once

#include <optional>
#include <string>

#include "impls/api/spec.hpp"

namespace bptt::xsmm {

struct Blocks {
  Index n = 1, k = 1, c = 1;  ///< of B, H and I
};

/// The largest that divide and are not larger than what libxsmm's own drivers use (64 units, 64
/// inputs; 32 sequences).
Blocks choose_blocks(const Shape&);

/// Names the extent, the block there is and what would do, where an extent has no divisor that
/// makes a product worth while.
std::optional<std::string> refuse_blocks(const Shape&);

}  // namespace bptt::xsmm
