// The scalar functions and the three sums that the textbook equations are made of, for real and
// complex numbers. Plain loops on purpose: this folder is the judge of all others and shares
// nothing with them (see docs/architecture.md, "the sharing rule").
#pragma once

#include <cmath>
#include <complex>

#include "impls/api/spec.hpp"
#include "impls/api/view.hpp"
#include "impls/naive/addends.hpp"
#include "impls/naive/variation.hpp"

namespace bptt::naive {

/// Where a function branches on a sign, complex numbers (which carry a derivative in their
/// imaginary part) take the branch of their real part.
template <class T>
auto real_part(const T& z) {
  return std::real(z);
}

/// 1 / (1 + e^-z), without overflow for large |z|.
template <class T>
T sigmoid(const T& z) {
  if (real_part(z) < 0) {
    const T e = std::exp(z);
    return Variation::value_of(e / (T(1) + e));
  }
  return Variation::value_of(T(1) / (T(1) + std::exp(-z)));
}

template <class T>
T tanh(const T& z) {
  return Variation::value_of(std::tanh(z));
}

/// phi of the plain recurrent cell. The comparisons let NaN through.
template <class T>
T activate(Activation phi, const T& p) {
  switch (phi) {
    case Activation::tanh:
      return tanh(p);
    case Activation::relu:
      return real_part(p) < 0 ? T(0) : p;
    case Activation::sigmoid:
      return sigmoid(p);
    case Activation::leaky_relu:
      return real_part(p) < 0 ? T(leaky_relu_slope) * p : p;
    case Activation::identity:
      return p;
  }
  return p;
}

/// phi' at p, from h = phi(p). At the kink of relu and leaky_relu: the slope of the negative side.
template <class T>
T slope(Activation phi, const T& h) {
  switch (phi) {
    case Activation::tanh:
      return T(1) - h * h;
    case Activation::relu:
      return real_part(h) <= 0 ? T(0) : T(1);
    case Activation::sigmoid:
      return h * (T(1) - h);
    case Activation::leaky_relu:
      return real_part(h) <= 0 ? T(leaky_relu_slope) : T(1);
    case Activation::identity:
      return T(1);
  }
  return T(1);
}

/// Sum over k of w[row,k] v[k], for w [R,n], v [n].
template <class T>
T dot(const View<const T>& w, Index row, const T* v) {
  T sum(0);
  for (Index k = 0; k < w.extents()[1]; ++k) sum += w(row, k) * v[k];
  return sum;
}

/// out[k] += d w[row,k], for w [R,n], out [n]: one row's part of w^T d.
template <class T>
void add_row(const View<const T>& w, Index row, const T& d, T* out) {
  for (Index k = 0; k < w.extents()[1]; ++k) out[k] += d * w(row, k);
}

// Sums over samples and steps, nothing where the gradient is not wanted. With `later`, what is
// added is written down there instead.

/// dw[row,k] += d v[k], for dw [R,n], v [n]: one row's part of the outer product d v^T.
template <class T>
void add_outer(const View<T>& dw, Index row, const T& d, const T* v, Addends<T>* later = nullptr) {
  if (!dw) return;
  if (later != nullptr) return later->outer(dw, row, d, v);
  for (Index k = 0; k < dw.extents()[1]; ++k) dw(row, k) += d * v[k];
}

/// db[row] += d.
template <class T>
void add_bias(const View<T>& db, Index row, const T& d, Addends<T>* later = nullptr) {
  if (!db) return;
  if (later != nullptr) return later->single(db, row, 0, d);
  db[row] += d;
}

/// dw[row,k] += d.
template <class T>
void add_to(const View<T>& dw, Index row, Index k, const T& d, Addends<T>* later = nullptr) {
  if (!dw) return;
  if (later != nullptr) return later->single(dw, row, k, d);
  dw(row, k) += d;
}

/// b[row], or zero without bias.
template <class T>
T bias(const View<const T>& b, Index row) {
  return b ? b[row] : T(0);
}

}  // namespace bptt::naive
