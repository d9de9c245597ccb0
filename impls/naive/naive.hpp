// The reference backend: textbook scalars, one sample at a time. Also the oracle of bptt-verify,
// for which it computes in long double and in complex numbers as well.
#pragma once

#include <memory>

#include "impls/api/backend.hpp"

namespace bptt::naive {

/// For float, double, long double and std::complex<double>. Throws Error(usage) for a spec that is
/// not valid, Error(unavailable) where the tape does not fit in memory.
template <Scalar T>
std::unique_ptr<Plan<T>> make_plan(const Spec&, const Exec& = {});

std::unique_ptr<Backend> make_backend();

}  // namespace bptt::naive
