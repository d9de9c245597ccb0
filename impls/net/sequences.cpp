#include "impls/net/sequences.hpp"

#include <algorithm>

namespace bptt::net {
namespace {

/// Calls f(t, b, the step that mirrors t) for every live step among these.
template <class F>
void for_each_live(const Extents& extents, std::span<const Index> lengths, StepRange steps, F f) {
  for (Index t = steps.begin; t < steps.end; ++t) {
    for (Index b = 0; b < extents[1]; ++b) {
      const Index length = live_steps(lengths, b, extents[0]);
      if (t < length) f(t, b, length - 1 - t);
    }
  }
}
template <class F>
void for_each_live(const Extents& extents, std::span<const Index> lengths, F f) {
  for_each_live(extents, lengths, {0, extents[0]}, f);
}

}  // namespace

template <Scalar T>
void copy_reversed(View<const T> from, std::span<const Index> lengths, View<T> to) {
  for_each_live(from.extents(), lengths, [&](Index t, Index b, Index mirrored) {
    std::copy_n(&from(mirrored, b, 0), from.extents()[2], &to(t, b, 0));
  });
}

template <Scalar T>
void add_reversed(View<const T> from, std::span<const Index> lengths, StepRange steps, View<T> to) {
  for_each_live(from.extents(), lengths, steps, [&](Index t, Index b, Index mirrored) {
    const T* source = &from(t, b, 0);
    T* target = &to(mirrored, b, 0);
    for (Index k = 0; k < from.extents()[2]; ++k) target[k] += source[k];
  });
}

template <Scalar T>
void put_direction(View<const T> from, const DirectionOf& of, View<T> both) {
  const Extents& extents = from.extents();
  const Index H = extents[2], column = of.direction * H;
  for_each_live(extents, of.lengths, [&](Index t, Index b, Index mirrored) {
    std::copy_n(&from(of.direction == 0 ? t : mirrored, b, 0), H, &both(t, b, column));
  });
  for (Index b = 0; b < extents[1]; ++b) {
    for (Index t = live_steps(of.lengths, b, extents[0]); t < extents[0]; ++t) {
      std::fill_n(&both(t, b, column), H, T(0));
    }
  }
}

template <Scalar T>
void take_direction(View<const T> both, const DirectionOf& of, View<T> to) {
  const Index H = to.extents()[2], column = of.direction * H;
  for_each_live(to.extents(), of.lengths, [&](Index t, Index b, Index mirrored) {
    std::copy_n(&both(of.direction == 0 ? t : mirrored, b, column), H, &to(t, b, 0));
  });
}

#define BPTT_INSTANTIATE(T)                                                                 \
  template void copy_reversed<T>(View<const T>, std::span<const Index>, View<T>);           \
  template void add_reversed<T>(View<const T>, std::span<const Index>, StepRange, View<T>); \
  template void put_direction<T>(View<const T>, const DirectionOf&, View<T>);               \
  template void take_direction<T>(View<const T>, const DirectionOf&, View<T>);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net
