// Small matrices that read as the textbooks write them: `*` is elementwise, mul() the matrix
// product. Plain loops, for real and complex numbers; shares nothing with the code it audits.
#pragma once

#include <cmath>
#include <complex>
#include <stdexcept>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::verify::textbook {

/// Row-major. A vector is a matrix of one column. Extents that do not fit are a mistake in the
/// audit: std::logic_error.
template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(Index rows, Index columns)
      : rows_(rows), columns_(columns), values_(static_cast<std::size_t>(rows * columns)) {}

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  bool empty() const { return values_.empty(); }
  T& operator()(Index i, Index j) { return values_[static_cast<std::size_t>(i * columns_ + j)]; }
  const T& operator()(Index i, Index j) const {
    return values_[static_cast<std::size_t>(i * columns_ + j)];
  }
  std::vector<T>& values() { return values_; }
  const std::vector<T>& values() const { return values_; }

  friend Matrix operator+(Matrix a, const Matrix& b) {
    return a.combine(b, [](const T& x, const T& y) { return x + y; });
  }
  friend Matrix operator-(Matrix a, const Matrix& b) {
    return a.combine(b, [](const T& x, const T& y) { return x - y; });
  }
  friend Matrix operator*(Matrix a, const Matrix& b) {
    return a.combine(b, [](const T& x, const T& y) { return x * y; });
  }
  friend Matrix operator/(Matrix a, const Matrix& b) {
    return a.combine(b, [](const T& x, const T& y) { return x / y; });
  }
  friend Matrix operator*(const T& factor, Matrix a) {
    for (T& value : a.values_) value *= factor;
    return a;
  }
  friend Matrix operator-(const T& constant, Matrix a) {
    for (T& value : a.values_) value = constant - value;
    return a;
  }
  Matrix& operator+=(const Matrix& b) {
    if (empty()) *this = Matrix(b.rows_, b.columns_);
    return combine(b, [](const T& x, const T& y) { return x + y; });
  }

 private:
  template <class F>
  Matrix& combine(const Matrix& b, F f) {
    if (rows_ != b.rows_ || columns_ != b.columns_) throw std::logic_error("extents differ");
    for (std::size_t k = 0; k < values_.size(); ++k) values_[k] = f(values_[k], b.values_[k]);
    return *this;
  }

  Index rows_ = 0, columns_ = 0;
  std::vector<T> values_;
};

template <class T>
Matrix<T> mul(const Matrix<T>& a, const Matrix<T>& b) {
  if (a.columns() != b.rows()) throw std::logic_error("extents do not fit a product");
  Matrix<T> product(a.rows(), b.columns());
  for (Index i = 0; i < a.rows(); ++i) {
    for (Index j = 0; j < b.columns(); ++j) {
      for (Index k = 0; k < a.columns(); ++k) product(i, j) += a(i, k) * b(k, j);
    }
  }
  return product;
}

template <class T>
Matrix<T> transposed(const Matrix<T>& a) {
  Matrix<T> result(a.columns(), a.rows());
  for (Index i = 0; i < a.rows(); ++i) {
    for (Index j = 0; j < a.columns(); ++j) result(j, i) = a(i, j);
  }
  return result;
}

/// u v^T of two columns.
template <class T>
Matrix<T> outer(const Matrix<T>& u, const Matrix<T>& v) {
  return mul(u, transposed(v));
}

/// A diagonal matrix of a column.
template <class T>
Matrix<T> diag(const Matrix<T>& v) {
  Matrix<T> result(v.rows(), v.rows());
  for (Index i = 0; i < v.rows(); ++i) result(i, i) = v(i, 0);
  return result;
}

template <class T>
Matrix<T> identity(Index n) {
  Matrix<T> result(n, n);
  for (Index i = 0; i < n; ++i) result(i, i) = T(1);
  return result;
}

/// a on top of b.
template <class T>
Matrix<T> stacked(const Matrix<T>& a, const Matrix<T>& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  if (a.columns() != b.columns()) throw std::logic_error("widths differ");
  Matrix<T> result(a.rows() + b.rows(), a.columns());
  for (Index j = 0; j < a.columns(); ++j) {
    for (Index i = 0; i < a.rows(); ++i) result(i, j) = a(i, j);
    for (Index i = 0; i < b.rows(); ++i) result(a.rows() + i, j) = b(i, j);
  }
  return result;
}

/// All elements in one column, row after row.
template <class T>
Matrix<T> flattened(const Matrix<T>& a) {
  Matrix<T> column(a.rows() * a.columns(), 1);
  column.values() = a.values();
  return column;
}

/// a left of b.
template <class T>
Matrix<T> beside(const Matrix<T>& a, const Matrix<T>& b) {
  return transposed(stacked(transposed(a), transposed(b)));
}

template <class T, class F>
Matrix<T> map(Matrix<T> a, F f) {
  for (T& value : a.values()) value = f(value);
  return a;
}

template <class T>
T sum(const Matrix<T>& a) {
  T total(0);
  for (const T& value : a.values()) total += value;
  return total;
}

template <class T>
Matrix<T> sigmoid(const Matrix<T>& p) {
  return map(p, [](const T& z) { return T(1) / (T(1) + std::exp(-z)); });
}
template <class T>
Matrix<T> tanh(const Matrix<T>& p) {
  return map(p, [](const T& z) { return std::tanh(z); });
}
template <class T>
Matrix<T> log(const Matrix<T>& p) {
  return map(p, [](const T& z) { return std::log(z); });
}
template <class T>
Matrix<T> softmax(const Matrix<T>& q) {
  const Matrix<T> e = map(q, [](const T& z) { return std::exp(z); });
  return (T(1) / sum(e)) * e;
}

/// Slopes, from the function's value, as all five documents write them.
template <class T>
Matrix<T> sigmoid_slope(const Matrix<T>& s) {
  return s * (T(1) - s);
}
template <class T>
Matrix<T> tanh_slope(const Matrix<T>& t) {
  return T(1) - t * t;
}

}  // namespace bptt::verify::textbook
