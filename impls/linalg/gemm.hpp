// Matrix products over views, by OpenBLAS.
#pragma once

#include <type_traits>

#include "impls/api/scalar.hpp"
#include "impls/linalg/matrix.hpp"

namespace bptt::linalg {

enum class Op { none, transpose };

/// c = op_a(a) op_b(b) + beta c. c is not read where beta is 0. Empty c: nothing; an empty sum is
/// 0. The shapes must fit; every extent must fit in 31 bits, as OpenBLAS counts (see fits_blas).
template <Real T>
void gemm(Op op_a, std::type_identity_t<Matrix<const T>> a, Op op_b,
          std::type_identity_t<Matrix<const T>> b, T beta, std::type_identity_t<Matrix<T>> c);

/// out[j] = sum over rows of m[row, j], added in the order of the rows. out: [m.cols].
template <Real T>
void column_sums(std::type_identity_t<Matrix<const T>> m, T* out, bool accumulate);

/// Whether OpenBLAS, which counts in 32-bit integers, can take a matrix of these extents.
bool fits_blas(Index rows, Index cols);

}  // namespace bptt::linalg
