// A non-owning view of a row-major matrix with a stride between rows.
#pragma once

#include "impls/api/index.hpp"

namespace bptt::linalg {

template <class T>
struct Matrix {
  T* data = nullptr;
  Index rows = 0, cols = 0;
  Index stride = 0;  ///< elements from one row to the next, at least cols

  Matrix() = default;
  Matrix(T* d, Index r, Index c) : data(d), rows(r), cols(c), stride(c) {}
  Matrix(T* d, Index r, Index c, Index s) : data(d), rows(r), cols(c), stride(s) {}
  operator Matrix<const T>() const { return {data, rows, cols, stride}; }

  Matrix row_range(Index begin, Index count) const {
    return {data + begin * stride, count, cols, stride};
  }
  Matrix col_range(Index begin, Index count) const { return {data + begin, rows, count, stride}; }
};

}  // namespace bptt::linalg
