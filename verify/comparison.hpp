// A model's results against what they have to be, tensor by tensor, with both derivatives of a kink
// allowed where a unit is on one.
#pragma once

#include "verify/result.hpp"

namespace bptt::verify {

/// What to compare with, in the order of a reference's layouts.
template <class E>
struct Expectation {
  Values<E> values;  ///< an empty tensor is not compared
  Values<double> unit;
  std::vector<double> resolution;  ///< of each tensor
};

/// Takes the comparison of every result into `result`. Where elements fail and the reference has
/// units on a kink, all results together have to agree with one choice of sides at these units; the
/// expectation stands for the choice that its values agree with best. Where there are too many
/// units to try every choice and none was found to agree, elements that no such unit reaches fail
/// all the same; without any of them, the result is inconclusive.
template <Real T, class E>
void compare_values(const Reference<T>&, const Expectation<E>&, const Values<T>& got, Result&);

}  // namespace bptt::verify
