#include "impls/net/layer_activation.hpp"

#include <algorithm>
#include <cmath>

#include "impls/api/names.hpp"
#include "impls/net/scalar_math.hpp"

namespace bptt::net {
namespace {

constexpr Named<LayerActivation> names[] = {{LayerActivation::identity, "identity"},
                                            {LayerActivation::sigmoid, "sigmoid"},
                                            {LayerActivation::tanh, "tanh"},
                                            {LayerActivation::relu, "relu"},
                                            {LayerActivation::leaky_relu, "leaky_relu"},
                                            {LayerActivation::softmax, "softmax"}};

template <class T, class F>
void for_each_row(const linalg::Matrix<T>& m, F f) {
  for (Index row = 0; row < m.rows; ++row) f(m.data + row * m.stride);
}

template <class T>
void softmax_row(T* z, Index n) {
  const T sum(static_cast<T>(shifted_exponentials(z, n, z).first));
  for (Index k = 0; k < n; ++k) z[k] /= sum;
}

/// dz_i = a_i (da_i - sum_j a_j da_j): diag(a) - a a^T times da.
template <class T>
void softmax_jacobian(const T* a, T* da, Index n) {
  T inner(0);
  for (Index k = 0; k < n; ++k) inner += a[k] * da[k];
  for (Index k = 0; k < n; ++k) da[k] = a[k] * (da[k] - inner);
}

/// f of a function of one number. The comparisons let NaN through.
template <class T>
T activated(LayerActivation f, const T& z) {
  switch (f) {
    case LayerActivation::sigmoid:
      return sigmoid(z);
    case LayerActivation::tanh:
      return std::tanh(z);
    case LayerActivation::relu:
      return real_part(z) < 0 ? T(0) : z;
    case LayerActivation::leaky_relu:
      return real_part(z) < 0 ? T(leaky_relu_slope) * z : z;
    default:
      return z;
  }
}

/// f'(z) from a = f(z).
template <class T>
T slope(LayerActivation f, const T& a) {
  switch (f) {
    case LayerActivation::sigmoid:
      return a * (T(1) - a);
    case LayerActivation::tanh:
      return T(1) - a * a;
    case LayerActivation::relu:
      return real_part(a) <= 0 ? T(0) : T(1);
    case LayerActivation::leaky_relu:
      return real_part(a) <= 0 ? T(leaky_relu_slope) : T(1);
    default:
      return T(1);
  }
}

thread_local KinkObserver* observer = nullptr;

}  // namespace

std::string_view name_of(LayerActivation f) {
  return name_in(names, f);
}
LayerActivation parse_layer_activation(std::string_view name) {
  return parse_in(names, "activation", name);
}
LayerActivation layer_activation(Activation phi) {
  switch (phi) {
    case Activation::tanh:
      return LayerActivation::tanh;
    case Activation::relu:
      return LayerActivation::relu;
    case Activation::sigmoid:
      return LayerActivation::sigmoid;
    case Activation::leaky_relu:
      return LayerActivation::leaky_relu;
    case Activation::identity:
      return LayerActivation::identity;
  }
  return LayerActivation::identity;
}

KinkObserver::KinkObserver() {
  observer = this;
}

KinkObserver::~KinkObserver() {
  observer = nullptr;
}

void KinkObserver::reset() {
  nearest_ = std::numeric_limits<double>::infinity();
  count_ = 0;
}

void KinkObserver::see(double z) {
  nearest_ = std::min(nearest_, std::abs(z));
  ++count_;
}

template <Scalar T>
void activate_rows(LayerActivation f, linalg::Matrix<T> z) {
  if (f == LayerActivation::identity) return;
  const bool has_kink = f == LayerActivation::relu || f == LayerActivation::leaky_relu;
  if (has_kink && observer != nullptr) {
    for_each_row(z, [&](const T* row) {
      for (Index k = 0; k < z.cols; ++k) observer->see(static_cast<double>(real_part(row[k])));
    });
  }
  for_each_row(z, [&](T* row) {
    if (f == LayerActivation::softmax) return softmax_row(row, z.cols);
    for (Index k = 0; k < z.cols; ++k) row[k] = activated(f, row[k]);
  });
}

template <Scalar T>
void differentiate_rows(LayerActivation f, linalg::Matrix<const T> a, linalg::Matrix<T> da) {
  if (f == LayerActivation::identity) return;
  const T* values = a.data;
  for_each_row(da, [&](T* row) {
    if (f == LayerActivation::softmax) {
      softmax_jacobian(values, row, da.cols);
    } else {
      for (Index k = 0; k < da.cols; ++k) row[k] *= slope(f, values[k]);
    }
    values += a.stride;
  });
}

#define BPTT_INSTANTIATE(T)                                           \
  template void activate_rows<T>(LayerActivation, linalg::Matrix<T>); \
  template void differentiate_rows<T>(LayerActivation, linalg::Matrix<const T>, linalg::Matrix<T>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
