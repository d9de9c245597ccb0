#include "impls/net/initialise.hpp"

#include <algorithm>
#include <cmath>

namespace bptt::net {
namespace {

template <Real T>
T as_f32(double value) {
  return static_cast<T>(static_cast<float>(value));
}

}  // namespace

template <Real T>
void fill_uniform(View<T> values, Index fan, Random& random) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan));
  for (T& value : values) value = as_f32<T>(random.uniform(-bound, bound));
}

template <Real T>
void fill_normal(View<T> values, double deviation, Random& random) {
  for (T& value : values) value = as_f32<T>(deviation * random.normal());
}

template <Real T>
void initialise(const Spec& spec, const Params<T>& params, Random& random,
                std::optional<double> forget_bias) {
  const Index H = spec.shape.H;
  for_each(spec, params,
           [&](const TensorInfo&, View<T> values) { fill_uniform(values, H, random); });
  if (!forget_bias || !spec.cell.bias) return;
  for (Index g = 0; g < spec.cell.gates(); ++g) {
    if (spec.cell.gate_name(g) != "f") continue;
    std::fill_n(params.bias_ih.data() + g * H, H, as_f32<T>(*forget_bias));
    std::fill_n(params.bias_hh.data() + g * H, H, T{});
  }
}

#define BPTT_INSTANTIATE(T)                               \
  template void fill_uniform<T>(View<T>, Index, Random&); \
  template void fill_normal<T>(View<T>, double, Random&); \
  template void initialise<T>(const Spec&, const Params<T>&, Random&, std::optional<double>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
