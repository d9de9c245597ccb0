// Matrix products for every scalar type: OpenBLAS in float and double, plain loops in the types
// that only the oracles use.
#pragma once

#include <type_traits>

#include "impls/api/scalar.hpp"
#include "impls/linalg/gemm.hpp"

namespace bptt::net {

using linalg::Matrix;
using linalg::Op;

/// c = op_a(a) op_b(b) + beta c. c is not read where beta is 0. Every extent at most
/// `largest_extent`.
template <Scalar T>
void multiply(Op op_a, std::type_identity_t<Matrix<const T>> a, Op op_b,
              std::type_identity_t<Matrix<const T>> b, T beta, std::type_identity_t<Matrix<T>> c);

/// out[j] = the sum of column j, added in the order of the rows. out [m.cols].
template <Scalar T>
void sum_rows(std::type_identity_t<Matrix<const T>> m, T* out);

/// What OpenBLAS can count to.
inline constexpr Index largest_extent = (Index{1} << 31) - 1;

}  // namespace bptt::net
