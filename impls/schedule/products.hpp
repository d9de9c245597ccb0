// What the steps of every cell are made of: views as matrices, and the gradient of a weight whose
// rows are multiplied with different arrays.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "impls/linalg/gemm.hpp"
#include "impls/schedule/cell_steps.hpp"

namespace bptt::schedule {

template <class T>
linalg::Matrix<T> as_matrix(const View<T>& v) {
  return {v.data(), v.extents()[0], v.extents()[1]};
}

/// Columns begin..end of a tape's `d` belong to rows of W_hh that were multiplied with `v`.
template <Real T>
struct RecurrentPart {
  Index begin, end;
  linalg::Matrix<T> d;  ///< [rows,end-begin], gradient of the product
  linalg::Matrix<T> v;  ///< [rows,H], what was multiplied
};

/// Rows begin..begin+dw_rows of weight_hh's gradient (and of bias_hh's), which lie in one or more
/// of the parts: dw = beta dw + d^T v, db likewise with the column sums of d. Either may be absent.
template <Real T>
void recurrent_gradient(std::initializer_list<RecurrentPart<T>> parts, Index begin, Index rows,
                        T beta, linalg::Matrix<T> dw, T* db) {
  for (const RecurrentPart<T>& part : parts) {
    const Index first = std::max(begin, part.begin);
    const Index count = std::min(begin + rows, part.end) - first;
    if (count <= 0) continue;
    const auto d = part.d.col_range(first - part.begin, count);
    const Index at = first - begin;
    if (dw.data != nullptr) {
      linalg::gemm<T>(linalg::Op::transpose, d, linalg::Op::none, part.v, beta,
                      dw.row_range(at, count));
    }
    if (db != nullptr) linalg::column_sums<T>(d, db + at, beta != T(0));
  }
}

}  // namespace bptt::schedule
