// Inputs that leave no bug a place to hide: gradients stay alive far back in time, every upstream
// gradient and initial state is nonzero, padding is NaN, and kinks are kept away.
#pragma once

#include <cstdint>
#include <span>

#include "impls/api/tensor.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// Fills the parameters, inputs and upstream gradients that are present. The same seed gives the
/// same numbers; those of float are those of double, rounded (but for the repair below).
///
/// Weights are dense; recurrent ones are scaled orthogonal blocks (random ones of the same norm
/// where H is large), so that the Jacobian of a step neither vanishes nor explodes; forget gates
/// (and the share of the old state in a GRU) start near sigmoid(2). Beyond a sequence's length x
/// and dy are NaN: reading padding must show.
///
/// relu and leaky_relu: inputs of the `rows` (all where empty) are drawn anew until no
/// preactivation lies within the returned margin of the kink, and enough units are active.
template <Real T>
double draw_inputs(std::uint64_t seed, Problem<T>& p, std::span<const Index> rows = {});

/// The same for any model, targets included. relu and leaky_relu: everything is drawn anew until no
/// preactivation of any layer lies within 0.2 over their number of the kink, and a third of the
/// units is active in every step of every layer; so many times at most, then the best counts.
template <Real T>
Given draw_model(const Subject&, std::uint64_t seed, int tries = 64);

}  // namespace bptt::verify
