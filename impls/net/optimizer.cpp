#include "impls/net/optimizer.hpp"

#include <cmath>

namespace bptt::net {

template <Real T>
double global_norm(std::span<const View<T>> grads) {
  double sum = 0;
  for (const View<T>& grad : grads) {
    for (const T value : grad) sum += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::sqrt(sum);
}

template <Real T>
double clip_by_global_norm(std::span<const View<T>> grads, double largest) {
  const double norm = global_norm(grads);
  if (!std::isfinite(norm) || norm <= largest) return norm;
  const T factor = static_cast<T>(largest / norm);
  for (const View<T>& grad : grads) {
    for (T& value : grad) value *= factor;
  }
  return norm;
}

template <Real T>
void sgd_step(std::span<const View<T>> params, std::span<const View<T>> grads, double rate) {
  const auto fail = [](const std::string& expected, const std::string& came) {
    throw Error(ErrorKind::usage, "sgd_step: expected " + expected + "; got " + came);
  };
  if (params.size() != grads.size()) {
    fail(std::to_string(params.size()) + " gradients", std::to_string(grads.size()));
  }
  for (std::size_t k = 0; k < params.size(); ++k) {
    if (!(params[k].extents() == grads[k].extents())) {
      fail("a gradient of extents " + to_string(params[k].extents()),
           to_string(grads[k].extents()));
    }
    T* const param = params[k].data();
    const T* const grad = grads[k].data();
    const T step = static_cast<T>(rate);
    for (Index i = 0; i < params[k].size(); ++i) param[i] -= step * grad[i];
  }
}

#define BPTT_INSTANTIATE(T)                                                 \
  template double global_norm<T>(std::span<const View<T>>);                 \
  template double clip_by_global_norm<T>(std::span<const View<T>>, double); \
  template void sgd_step<T>(std::span<const View<T>>, std::span<const View<T>>, double);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
