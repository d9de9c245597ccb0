// The dense layer against sums written out, and its gradients against finite differences.
#include "impls/net/dense.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "impls/api/tensor.hpp"

namespace bptt::net {
namespace {

constexpr Index steps = 3, batch = 2, inputs = 5, outputs = 7;

/// Values with no pattern that a transposed index would keep.
Tensor<double> filled(const Extents& extents, double phase) {
  Tensor<double> tensor(extents);
  for (Index i = 0; i < extents.size(); ++i) {
    tensor.view()[i] = std::sin(phase + 1.7 * static_cast<double>(i * i % 101));
  }
  return tensor;
}

struct Layer {
  Tensor<double> a = filled({steps, batch, inputs}, 0.1);
  Tensor<double> weight = filled({outputs, inputs}, 0.2);
  Tensor<double> bias = filled({outputs}, 0.3);
  Tensor<double> q{{steps, batch, outputs}};

  void forward() {
    const auto& layer = *this;
    dense_forward<double>(layer.a.view(), layer.weight.view(), layer.bias.view(), q.view());
  }
};

TEST(Dense, IsTheSumWrittenOut) {
  Layer layer;
  layer.forward();
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < batch; ++b) {
      for (Index o = 0; o < outputs; ++o) {
        double sum = layer.bias.view()[o];
        for (Index h = 0; h < inputs; ++h)
          sum += layer.a.view()(t, b, h) * layer.weight.view()(o, h);
        EXPECT_NEAR(layer.q.view()(t, b, o), sum, 1e-14);
      }
    }
  }
}

TEST(Dense, GradientsAreThoseOfFiniteDifferences) {
  Layer layer;
  const Tensor<double> dq = filled({steps, batch, outputs}, 0.4);
  // Not zero: gradients are to be overwritten.
  Tensor<double> da = filled({steps, batch, inputs}, 1), dweight = filled({outputs, inputs}, 2),
                 dbias = filled({outputs}, 3);
  dense_backward<double>(std::as_const(layer.a).view(), std::as_const(layer.weight).view(),
                         dq.view(), da.view(), dweight.view(), dbias.view());
  const auto loss = [&] {
    layer.forward();
    double sum = 0;
    for (Index i = 0; i < dq.view().size(); ++i) sum += dq.view()[i] * layer.q.view()[i];
    return sum;
  };
  const auto check = [&](Tensor<double>& values, const Tensor<double>& gradient) {
    for (Index i = 0; i < values.view().size(); ++i) {
      // The layer is linear in each: a wide step costs no accuracy.
      constexpr double step = 0.5;
      const double kept = values.view()[i];
      values.view()[i] = kept + step;
      const double above = loss();
      values.view()[i] = kept - step;
      const double below = loss();
      values.view()[i] = kept;
      EXPECT_NEAR(gradient.view()[i], (above - below) / (2 * step), 1e-12);
    }
  };
  check(layer.a, da);
  check(layer.weight, dweight);
  check(layer.bias, dbias);
}

TEST(Dense, RefusesExtentsThatDoNotFit) {
  Layer layer;
  layer.weight = filled({inputs, outputs}, 0);
  EXPECT_THROW(layer.forward(), Error);
  layer = Layer();
  layer.q = Tensor<double>({steps, batch + 1, outputs});
  EXPECT_THROW(layer.forward(), Error);
}

}  // namespace
}  // namespace bptt::net
