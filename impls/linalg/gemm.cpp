#include "impls/linalg/gemm.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include <cblas.h>

namespace bptt::linalg {
namespace {

CBLAS_TRANSPOSE cblas_op(Op op) {
  return op == Op::none ? CblasNoTrans : CblasTrans;
}
blasint narrow(Index value) {
  return static_cast<blasint>(value);
}

}  // namespace

bool fits_blas(Index rows, Index cols) {
  constexpr Index largest = std::numeric_limits<blasint>::max();
  return rows <= largest && cols <= largest;
}

template <Real T>
void gemm(Op op_a, std::type_identity_t<Matrix<const T>> a, Op op_b,
          std::type_identity_t<Matrix<const T>> b, T beta, std::type_identity_t<Matrix<T>> c) {
  const Index k = op_a == Op::none ? a.cols : a.rows;
  assert((op_a == Op::none ? a.rows : a.cols) == c.rows);
  assert((op_b == Op::none ? b.cols : b.rows) == c.cols);
  assert((op_b == Op::none ? b.rows : b.cols) == k);
  assert(fits_blas(std::max({c.rows, c.cols, k}), std::max({a.stride, b.stride, c.stride})));
  if (c.rows == 0 || c.cols == 0) return;
  if (k == 0) {
    // OpenBLAS leaves c alone for an empty sum where beta is 1 only; for 0 it must become 0.
    for (Index row = 0; row < c.rows; ++row) {
      for (Index col = 0; col < c.cols; ++col) {
        T& element = c.data[row * c.stride + col];
        element = beta == T(0) ? T(0) : beta * element;
      }
    }
    return;
  }
  const auto call = [&](auto* function) {
    function(CblasRowMajor, cblas_op(op_a), cblas_op(op_b), narrow(c.rows), narrow(c.cols),
             narrow(k), T(1), a.data, narrow(a.stride), b.data, narrow(b.stride), beta, c.data,
             narrow(c.stride));
  };
  if constexpr (std::same_as<T, float>) {
    call(cblas_sgemm);
  } else {
    call(cblas_dgemm);
  }
}

template <Real T>
void column_sums(std::type_identity_t<Matrix<const T>> m, T* out, bool accumulate) {
  if (!accumulate) std::fill_n(out, m.cols, T(0));
  for (Index row = 0; row < m.rows; ++row) {
    const T* values = m.data + row * m.stride;
    for (Index col = 0; col < m.cols; ++col) out[col] += values[col];
  }
}

template void gemm<float>(Op, Matrix<const float>, Op, Matrix<const float>, float, Matrix<float>);
template void gemm<double>(Op, Matrix<const double>, Op, Matrix<const double>, double,
                           Matrix<double>);
template void column_sums<float>(Matrix<const float>, float*, bool);
template void column_sums<double>(Matrix<const double>, double*, bool);

}  // namespace bptt::linalg
