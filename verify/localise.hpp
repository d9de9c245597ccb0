// Where in time a fault sits that shows in a tensor without a time axis (the gradient of a
// parameter or an initial state): the loss is cut down to one upstream gradient at a time.
//
// By linearity the gradient is a sum over the upstream steps, each of which can be looked at alone.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include "verify/tensor_list.hpp"

namespace bptt::verify {

/// A part of the upstream gradient: dy of the steps first..last, and dhT, dcT or not.
struct Upstream {
  Index first = 0, last = -1;
  bool final_state = false;
};

/// Sets the upstream gradients of `target` to those of `source` that are lit, and to zero else. Of
/// one spec and presence.
template <Scalar T>
void light(const Problem<T>& source, const Upstream& lit, const Problem<T>& target) {
  const Index steps = source.spec().shape.T;
  const Index size = source.dout.y ? source.dout.y.size() / steps : 0;
  for (Index e = 0; e < size * steps; ++e) {
    const Index t = e / size;
    target.dout.y[e] = t >= lit.first && t <= lit.last ? source.dout.y[e] : T(0);
  }
  const auto copy = [&](const View<T>& from, const View<T>& to) {
    for (Index e = 0; e < from.size(); ++e) to[e] = lit.final_state ? from[e] : T(0);
  };
  copy(source.dout.hT, target.dout.hT);
  copy(source.dout.cT, target.dout.cT);
}

/// "from upstream step 3 on": the first step whose upstream gradient, alone, makes it wrong.
/// `is_wrong` runs with one part of the upstream gradient lit. Halves the range first (a wrong part
/// makes what contains it wrong, but for coincidence), and looks at every step where that misleads.
std::string describe_first_wrong(Index steps, const std::function<bool(const Upstream&)>& is_wrong);

}  // namespace bptt::verify
