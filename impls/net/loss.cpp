#include "impls/net/loss.hpp"

#include <algorithm>
#include <cmath>

namespace bptt::net {
namespace {

/// One row of `outputs` logits; the sum and its logarithm are taken in double.
template <Real T>
double row_loss(const T* logits, Index outputs, Index target, double scale, T* dlogits) {
  const T largest = *std::max_element(logits, logits + outputs);
  double sum = 0;
  for (Index o = 0; o < outputs; ++o) {
    dlogits[o] = std::exp(logits[o] - largest);
    sum += static_cast<double>(dlogits[o]);
  }
  const T factor = static_cast<T>(scale / sum);
  for (Index o = 0; o < outputs; ++o) dlogits[o] *= factor;
  dlogits[target] -= static_cast<T>(scale);
  return std::log(sum) - static_cast<double>(logits[target] - largest);
}

}  // namespace

template <Real T>
double softmax_cross_entropy(View<const T> logits, std::span<const Index> targets,
                             std::span<const Index> lengths, double scale, View<T> dlogits) {
  const Extents& extents = logits.extents();
  const Index steps = extents[0], batch = extents[1], outputs = extents[2];
  if (extents.rank() != 3 || outputs < 1 || !(dlogits.extents() == extents) ||
      static_cast<Index>(targets.size()) != steps * batch ||
      (!lengths.empty() && static_cast<Index>(lengths.size()) != batch)) {
    throw Error(ErrorKind::usage,
                "softmax_cross_entropy: expected logits and dlogits [T,B,O], T*B "
                "targets and B lengths or none; got " +
                    to_string(extents) + ", " + to_string(dlogits.extents()) + ", " +
                    std::to_string(targets.size()) + " targets, " + std::to_string(lengths.size()) +
                    " lengths");
  }
  // Wider than the terms, so that the order of a long sum does not show in f64 either.
  long double loss = 0;
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < batch; ++b) {
      T* gradient = &dlogits(t, b, 0);
      if (!lengths.empty() && t >= lengths[b]) {
        std::fill_n(gradient, outputs, T{});
        continue;
      }
      const Index target = targets[t * batch + b];
      if (target < 0 || target >= outputs) {
        throw Error(ErrorKind::data, "target[" + std::to_string(t) + "," + std::to_string(b) +
                                         "]: expected 0.." + std::to_string(outputs - 1) +
                                         "; got " + std::to_string(target));
      }
      loss += row_loss(&logits(t, b, 0), outputs, target, scale, gradient);
    }
  }
  return static_cast<double>(loss);
}

template double softmax_cross_entropy<float>(View<const float>, std::span<const Index>,
                                             std::span<const Index>, double, View<float>);
template double softmax_cross_entropy<double>(View<const double>, std::span<const Index>,
                                              std::span<const Index>, double, View<double>);

}  // namespace bptt::net
