// Where in time a fault sits that shows in a tensor without a time axis (the gradient of a
// parameter or an initial state): the loss is cut down to one upstream gradient at a time.
//
// By linearity the gradient is a sum over the upstream steps, each of which can be looked at alone.
#pragma once

#include <functional>
#include <string>

#include "verify/result.hpp"
#include "verify/values.hpp"

namespace bptt::verify {

/// A part of the upstream gradient: dy of the steps first..last, and dhT, dcT or not.
struct Upstream {
  Index first = 0, last = -1;
  bool final_state = false;
};

/// Of a model's upstream gradients: the steps of dy; 1 without one, 0 where there are none at all.
template <Scalar T>
Index upstream_steps(const net::Model<T>& model) {
  Index steps = 0;
  for (const auto& tensor : model.tensors()) {
    if (tensor.role != net::Role::upstream) continue;
    steps = std::max(steps, tensor.outer == net::OuterAxis::time ? tensor.blocks : 1);
  }
  return steps;
}

/// `source` with the upstream gradients that are not lit set to zero.
template <Scalar T>
Given light(const net::Model<T>& model, const Given& source, const Upstream& lit) {
  Given given = source;
  const auto tensors = given_tensors(model);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].role != net::Role::upstream) continue;
    const bool over_time = tensors[i].outer == net::OuterAxis::time;
    auto& values = given.values[i];
    const std::size_t size = values.size() / static_cast<std::size_t>(tensors[i].blocks);
    for (std::size_t e = 0; e < values.size(); ++e) {
      const auto step = static_cast<Index>(e / size);
      if (over_time ? step < lit.first || step > lit.last : !lit.final_state) values[e] = 0;
    }
  }
  return given;
}

/// "from upstream step 3 on": the first step whose upstream gradient, alone, makes it wrong.
/// `is_wrong` runs with one part of the upstream gradient lit. Halves the range first (a wrong part
/// makes what contains it wrong, but for coincidence), and looks at every step where that misleads.
std::string describe_first_wrong(Index steps, const std::function<bool(const Upstream&)>& is_wrong);

/// Fills in the time step of findings in tensors without a time axis: runs the backend, and a
/// reference anew, with parts of what `reference` was given.
template <Real T>
void localise(const Subject&, const Backend&, const Exec&, const Reference<T>& reference,
              std::uint64_t seed, std::vector<Finding>&);

}  // namespace bptt::verify
