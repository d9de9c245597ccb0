// Which results an element of the inputs reaches: the dependence set of each cell, followed through
// the equations (docs/equations.md) with marks in place of numbers. It shares no code with any
// backend, naive included.
//
// A mark goes through sums, through products (whatever the other factor is, zero among them: 0 NaN
// is NaN) and through smooth functions. It does not go where a comparison decides: the slope of
// relu and leaky_relu is 0, 0.01 or 1, whatever h is. A gate that an option takes away is a
// constant: nothing goes into it, its rows reach nothing. Padding is neither read nor reached.
#pragma once

#include "impls/api/tensor.hpp"

namespace bptt::verify {

/// Which paths a mark takes. What is reached by `possible` ones alone is not told by the equations:
///   - where a comparison decides, it may become another number, but stays finite;
///   - the gradient of a gate that is off is the constant 0. A backend may multiply it with the
///     gate's rows and with x and h all the same (a matrix product over all gates does), and then
///     0 NaN is NaN; or it may leave them out.
enum class Paths { sure, possible };

/// Of a problem that holds a mark (1) or none (0) for each element of `params`, `in` and `dout`,
/// and whose lengths are set: fills `out` and `grads` with the marks that reach them.
void mark_reach(Problem<float>&, Paths = Paths::sure);

}  // namespace bptt::verify
