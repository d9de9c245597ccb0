// Functions of one number, real or complex, that losses and dense layers are made of. Where one
// branches on a sign, complex numbers (which carry a derivative in their imaginary part) take the
// branch of their real part.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "impls/api/index.hpp"
#include "impls/api/scalar.hpp"

namespace bptt::net {

/// What a long sum of T is added up in, so that the order of its terms does not show.
template <Scalar T>
using Accumulator =
    std::conditional_t<std::same_as<T, float>, double,
                       std::conditional_t<std::same_as<T, std::complex<double>>, T, long double>>;

template <class T>
auto real_part(const T& z) {
  return std::real(z);
}

/// 1 / (1 + e^-z), from the exponential that cannot overflow.
template <class T>
T sigmoid(const T& z) {
  if (real_part(z) < 0) {
    const T e = std::exp(z);
    return e / (T(1) + e);
  }
  return T(1) / (T(1) + std::exp(-z));
}

/// log(1 + e^z), without overflow.
template <class T>
T softplus(const T& z) {
  const bool positive = real_part(z) > 0;
  const T e = std::exp(positive ? -z : z);
  const T rest = [&] {
    if constexpr (std::is_floating_point_v<T>) {
      return std::log1p(e);
    } else {
      return std::log(T(1) + e);
    }
  }();
  return positive ? z + rest : rest;
}

/// e[k] = exp(q[k] - q[m]), m the largest; gives their sum and m. `e` may be `q`. n at least 1.
template <Scalar T>
std::pair<Accumulator<T>, T> shifted_exponentials(const T* q, Index n, T* e) {
  const T largest = *std::max_element(
      q, q + n, [](const T& a, const T& b) { return real_part(a) < real_part(b); });
  Accumulator<T> sum(0);
  for (Index k = 0; k < n; ++k) {
    e[k] = std::exp(q[k] - largest);
    sum += e[k];
  }
  return {sum, largest};
}

}  // namespace bptt::net
