// Feed-forward networks: backpropagation against the formulas written out, softmax's Jacobian
// against the gradient fused with its loss, and what the boundary refuses. Every gradient against
// the oracles: architectures_test.cpp.
#include "impls/net/mlp.hpp"

#include <cmath>

#include <gmock/gmock.h>

#include "impls/net/loss.hpp"
#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

using testing::HasSubstr;

constexpr Index rows = 3;

/// A network of 2 inputs, 5 hidden units and 4 outputs with its tensors.
struct Net {
  explicit Net(LayerActivation hidden, LayerActivation output)
      : spec{2, {{5, hidden}, {4, output}}}, mlp(spec, rows) {
    for (std::size_t l = 0; l < 2; ++l) {
      const Index width = spec.layers[l].width, inputs = spec.input_width(l);
      params.push_back({own({width, inputs}), own({width})});
      grads.push_back({own({width, inputs}), own({width})});
    }
    read_only.assign(params.begin(), params.end());
    a = own({rows, 2});
    da = own({rows, 2});
    dout = own({rows, 4});
  }
  View<double> own(const Extents& extents) {
    storage.emplace_back(extents);
    const View<double> view = storage.back().view();
    for (double& element : view) element = number(++filled) - 0.5;
    return view;
  }
  View<const double> forward() { return mlp.forward(read_only, a); }
  void backward() { mlp.backward(read_only, a, dout, grads, da); }

  MlpSpec spec;
  Mlp<double> mlp;
  std::vector<Tensor<double>> storage;
  Index filled = 0;
  std::vector<DenseParams<double>> params, grads;
  std::vector<DenseParams<const double>> read_only;
  View<double> a, da, dout;
};

// z^l = w^l a^(l-1) + b^l; delta^L = grad_a C * f'(z^L); delta^l = (w^(l+1))^T delta^(l+1) *
// f'(z^l)
TEST(Mlp, IsBackpropagationWrittenOut) {
  Net net(LayerActivation::sigmoid, LayerActivation::tanh);
  const auto output = net.forward();
  const std::vector<double> grad_a(net.dout.begin(), net.dout.end());
  net.backward();
  const auto& [w1, b1] = net.params[0];
  const auto& [w2, b2] = net.params[1];
  Tensor<double> dw1({5, 2}), db1({5}), dw2({4, 5}), db2({4});
  for (Index row = 0; row < rows; ++row) {
    double a1[5], delta1[5], delta2[4];
    for (Index j = 0; j < 5; ++j) {
      double z = b1[j];
      for (Index k = 0; k < 2; ++k) z += w1(j, k) * net.a(row, k);
      a1[j] = 1 / (1 + std::exp(-z));
    }
    for (Index j = 0; j < 4; ++j) {
      double z = b2[j];
      for (Index k = 0; k < 5; ++k) z += w2(j, k) * a1[k];
      EXPECT_NEAR(output(row, j), std::tanh(z), 1e-15);
      delta2[j] = grad_a[static_cast<std::size_t>(row * 4 + j)] / (std::cosh(z) * std::cosh(z));
      db2.view()[j] += delta2[j];
      for (Index k = 0; k < 5; ++k) dw2.view()(j, k) += delta2[j] * a1[k];
    }
    for (Index k = 0; k < 5; ++k) {
      double sum = 0;
      for (Index j = 0; j < 4; ++j) sum += w2(j, k) * delta2[j];
      delta1[k] = sum * a1[k] * (1 - a1[k]);
      db1.view()[k] += delta1[k];
      for (Index i = 0; i < 2; ++i) dw1.view()(k, i) += delta1[k] * net.a(row, i);
    }
    for (Index i = 0; i < 2; ++i) {
      double sum = 0;
      for (Index k = 0; k < 5; ++k) sum += w1(k, i) * delta1[k];
      EXPECT_NEAR(net.da(row, i), sum, 1e-15);
    }
  }
  const auto same = [](const View<double>& came, Tensor<double>& by_hand) {
    for (Index e = 0; e < came.size(); ++e) EXPECT_NEAR(came[e], by_hand.view()[e], 1e-15);
  };
  same(net.grads[0].weight, dw1);
  same(net.grads[0].bias, db1);
  same(net.grads[1].weight, dw2);
  same(net.grads[1].bias, db2);
}

// C = -log a_target with a = softmax(z): through the Jacobian, and fused with the loss.
TEST(Mlp, SoftmaxsJacobianAgreesWithTheFusedLoss) {
  Net whole(LayerActivation::relu, LayerActivation::softmax);
  Net fused(LayerActivation::relu, LayerActivation::identity);
  const std::vector<Index> classes = {3, 0, 2}, all = {0, 1, 2};
  const auto a = whole.forward();
  std::fill(whole.dout.begin(), whole.dout.end(), 0);
  double loss = 0;
  for (Index row = 0; row < rows; ++row) {
    const Index target = classes[static_cast<std::size_t>(row)];
    loss -= std::log(a(row, target));
    whole.dout(row, target) = -1 / a(row, target);
    double sum = 0;
    for (Index k = 0; k < 4; ++k) sum += a(row, k);
    EXPECT_NEAR(sum, 1, 1e-15);
  }
  whole.backward();
  EXPECT_NEAR(loss_of_rows<double>(Loss::softmax_cross_entropy, fused.forward(), all, rows,
                                   {{}, classes}, 1, fused.dout),
              loss, 1e-14);
  fused.backward();
  for (std::size_t l = 0; l < 2; ++l) {
    for (Index e = 0; e < whole.grads[l].weight.size(); ++e) {
      EXPECT_NEAR(whole.grads[l].weight[e], fused.grads[l].weight[e], 1e-14);
    }
  }
}

TEST(LayerActivations, SoftmaxIsStable) {
  double z[] = {1e30, -1e30, 1e30};
  activate_rows<double>(LayerActivation::softmax, {z, 1, 3});
  EXPECT_THAT(z, testing::ElementsAre(0.5, 0, 0.5));
}

TEST(LayerActivations, NaNGoesThrough) {
  for (const LayerActivation f : all_layer_activations) {
    double z[] = {std::nan(""), 1};
    activate_rows<double>(f, {z, 1, 2});
    EXPECT_TRUE(std::isnan(z[0])) << name_of(f);
    EXPECT_EQ(parse_layer_activation(name_of(f)), f);
  }
}

TEST(LayerActivations, AreTheCellsFunctions) {
  EXPECT_EQ(layer_activation(Activation::leaky_relu), LayerActivation::leaky_relu);
  double z[] = {-2, 3};
  activate_rows<double>(LayerActivation::leaky_relu, {z, 1, 2});
  EXPECT_THAT(z, testing::ElementsAre(-0.02, 3));
  double dz[] = {5, 7};
  differentiate_rows<double>(LayerActivation::leaky_relu, {z, 1, 2}, {dz, 1, 2});
  EXPECT_THAT(dz, testing::ElementsAre(0.05, 7));
}

template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Mlp, RefusesInWords) {
  EXPECT_EQ(message_of([] {
              Mlp<double>({2, {}}, 3);
            }),
            "dense layers: expected at least 1; got none");
  EXPECT_THAT(message_of([] {
                Mlp<double>({2, {{3}, {0}}}, 3);
              }),
              HasSubstr("width of dense layer 1: expected 1..2147483647; got 0"));
  EXPECT_THAT(message_of([] {
                Mlp<double>({2, {{3}}}, Index{1} << 40);
              }),
              HasSubstr("rows of dense layers"));
  EXPECT_THAT(message_of([] { Mlp<double>({2, {{1 << 24}}}, 1 << 24); }), HasSubstr("are free"));
  Net net(LayerActivation::tanh, LayerActivation::tanh);
  net.read_only.pop_back();
  EXPECT_THAT(message_of([&] { net.forward(); }), HasSubstr("parameters of 2 layers; got 1"));
  Net other(LayerActivation::tanh, LayerActivation::tanh);
  other.read_only[1].weight = other.read_only[0].weight;
  EXPECT_THAT(message_of([&] { other.forward(); }), HasSubstr("got [3,5], [5,2], [3,4]"));
}

}  // namespace
}  // namespace bptt::net
