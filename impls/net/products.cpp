#include "impls/net/products.hpp"

#include <algorithm>

namespace bptt::net {
namespace {

template <class T>
const T& element(const Matrix<const T>& m, Op op, Index row, Index col) {
  return op == Op::none ? m.data[row * m.stride + col] : m.data[col * m.stride + row];
}

}  // namespace

template <Scalar T>
void multiply(Op op_a, std::type_identity_t<Matrix<const T>> a, Op op_b,
              std::type_identity_t<Matrix<const T>> b, T beta, std::type_identity_t<Matrix<T>> c) {
  if constexpr (Real<T>) {
    linalg::gemm<T>(op_a, a, op_b, b, beta, c);
  } else {
    const Index n = op_a == Op::none ? a.cols : a.rows;
    for (Index row = 0; row < c.rows; ++row) {
      for (Index col = 0; col < c.cols; ++col) {
        T sum(0);
        for (Index k = 0; k < n; ++k) sum += element(a, op_a, row, k) * element(b, op_b, k, col);
        T& out = c.data[row * c.stride + col];
        out = beta == T(0) ? sum : beta * out + sum;
      }
    }
  }
}

template <Scalar T>
void sum_rows(std::type_identity_t<Matrix<const T>> m, T* out) {
  if constexpr (Real<T>) {
    linalg::column_sums<T>(m, out, false);
  } else {
    std::fill_n(out, m.cols, T(0));
    for (Index row = 0; row < m.rows; ++row) {
      for (Index col = 0; col < m.cols; ++col) out[col] += m.data[row * m.stride + col];
    }
  }
}

#define BPTT_INSTANTIATE(T)                                                          \
  template void multiply<T>(Op, Matrix<const T>, Op, Matrix<const T>, T, Matrix<T>); \
  template void sum_rows<T>(Matrix<const T>, T*);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
