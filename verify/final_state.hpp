// hT against y at each sequence's own end; states and gradients of sequences without a live step,
// which pass through untouched. Both bit by bit.
#pragma once

#include <vector>

#include "verify/result.hpp"
#include "verify/values.hpp"

namespace bptt::verify {

/// Of every recurrence in a model that ran with `given`: its own, or encoder and decoder. Appends
/// one finding per tensor, of check "final-state".
template <Real T>
void check_final_state(const net::Model<T>& model, const std::vector<Layout>& layouts,
                       const Values<T>& results, std::vector<Finding>&);

}  // namespace bptt::verify
