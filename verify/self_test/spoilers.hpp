// What several planted faults are made of.
#pragma once

#include <any>
#include <cmath>
#include <limits>

#include "verify/self_test/fault.hpp"

namespace bptt::verify {

/// The steps first..first+count-1 of a time-major tensor; absent where that is.
template <class T>
View<T> steps(const View<T>& view, Index first, Index count) {
  if (!view) return {};
  const Extents& e = view.extents();
  return View<T>(view.data() + first * e[1] * e[2], {count, e[1], e[2]});
}

/// What the plan remembers from call to call, as a State made by default at first.
template <class State, Scalar T>
State& memory_of(FaultContext<T>& context) {
  if (!context.memory.has_value()) context.memory = State();
  return std::any_cast<State&>(context.memory);
}

/// Its last bit changed.
template <Real T>
void nudge(T& value) {
  value = std::nextafter(value, std::numeric_limits<T>::infinity());
}

/// Of sequence b.
template <Scalar T>
Index length_of(const FaultContext<T>& c, Index b) {
  return c.spec.lengths ? c.in.lengths[static_cast<std::size_t>(b)] : c.spec.shape.T;
}

}  // namespace bptt::verify
