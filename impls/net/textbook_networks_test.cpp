// SISO, SIMO and MIMO networks against their closed forms, written out here as the textbook has
// them, with scalars, one sample at a time:
//
//   a(t) = f(W a(t-1) + U x(t))          y(t) = f(V a(t))          C = sum 1/2 (y - target)^2
//   delta_o(t) = (y(t) - target(t)) * f'          where there is an output
//   delta(t)   = (V^T delta_o(t) + W^T delta(t+1)) * f'
//   dC/dV = sum delta_o(t) a(t)^T    dC/dW = sum delta(t) a(t-1)^T    dC/dU = sum delta(t) x(t)^T
//
// SISO reads x at the first step and has an output at the last one only, SIMO has one at every
// step, MIMO reads x at every step too.
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "impls/net/architectures.hpp"
#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

using Vector = std::vector<double>;

struct Case {
  const char* name;
  const char* cell;
  bool input_at_every_step, output_at_every_step;
  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name << " " << c.cell; }
};

constexpr Index T = 5, B = 3, I = 2, H = 4, O = 7;

double f_of(Activation f, double z) {
  switch (f) {
    case Activation::tanh:
      return std::tanh(z);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::relu:
      return z > 0 ? z : 0;
    case Activation::leaky_relu:
      return z > 0 ? z : 0.01 * z;
    default:
      return z;
  }
}
double f_prime(Activation f, double z) {
  switch (f) {
    case Activation::tanh:
      return 1 / (std::cosh(z) * std::cosh(z));
    case Activation::sigmoid:
      return std::exp(-z) / ((1 + std::exp(-z)) * (1 + std::exp(-z)));
    case Activation::relu:
      return z > 0 ? 1 : 0;
    case Activation::leaky_relu:
      return z > 0 ? 1 : 0.01;
    default:
      return 1;
  }
}

class ClosedForms : public testing::TestWithParam<Case> {};

TEST_P(ClosedForms, AreTheGradients) {
  const Case& c = GetParam();
  ArchitectureSettings settings{parse_cell(c.cell), {T, B, I, H}};
  settings.outputs = O;
  const auto model = find_architecture(c.name).make<double>(settings, naive_plans<double>());
  fill_model(*model);
  model->forward();
  model->backward();
  std::map<std::string, const ModelTensor<double>*> named;
  for (const auto& tensor : model->tensors()) named[tensor.name] = &tensor;
  ASSERT_FALSE(named.count("bias_ih_l0") || named.count("head.bias"));
  const View<double> x = named.at("x")->value, target = named.at("target")->value,
                     h0 = named.at("h0")->value, U = named.at("weight_ih_l0")->value,
                     W = named.at("weight_hh_l0")->value, V = named.at("head.weight")->value;
  const Activation f = settings.cell.activation;

  Tensor<double> dU({H, I}), dW({H, H}), dV({O, H}), dx(x.extents()), da0({B, H});
  double C = 0;
  for (Index b = 0; b < B; ++b) {
    // a[t], z[t] for t = 1..T, a[0] the initial state.
    std::vector<Vector> a(T + 1, Vector(H)), z(T + 1, Vector(H));
    std::vector<Vector> delta(T + 2, Vector(H)), delta_o(T + 1, Vector(O));
    const auto reads = [&](Index t) { return c.input_at_every_step || t == 1; };
    for (Index j = 0; j < H; ++j) a[0][j] = h0(0, b, j);
    for (Index t = 1; t <= T; ++t) {
      for (Index j = 0; j < H; ++j) {
        for (Index k = 0; k < H; ++k) z[t][j] += W(j, k) * a[t - 1][k];
        for (Index k = 0; reads(t) && k < I; ++k) z[t][j] += U(j, k) * x(t - 1, b, k);
        a[t][j] = f_of(f, z[t][j]);
      }
      if (t < T && !c.output_at_every_step) continue;
      for (Index o = 0; o < O; ++o) {
        double z_o = 0;
        for (Index k = 0; k < H; ++k) z_o += V(o, k) * a[t][k];
        const double error = f_of(f, z_o) - target(t - 1, b, o);
        C += 0.5 * error * error;
        delta_o[t][o] = error * f_prime(f, z_o);
      }
    }
    for (Index t = T; t >= 1; --t) {
      for (Index j = 0; j < H; ++j) {
        double sum = 0;
        for (Index o = 0; o < O; ++o) sum += V(o, j) * delta_o[t][o];
        for (Index k = 0; k < H; ++k) sum += W(k, j) * delta[t + 1][k];
        delta[t][j] = sum * f_prime(f, z[t][j]);
      }
    }
    for (Index t = 1; t <= T; ++t) {
      for (Index o = 0; o < O; ++o) {
        for (Index j = 0; j < H; ++j) dV.view()(o, j) += delta_o[t][o] * a[t][j];
      }
      for (Index j = 0; j < H; ++j) {
        for (Index k = 0; k < H; ++k) dW.view()(j, k) += delta[t][j] * a[t - 1][k];
        for (Index k = 0; reads(t) && k < I; ++k) {
          dU.view()(j, k) += delta[t][j] * x(t - 1, b, k);
          dx.view()(t - 1, b, k) += U(j, k) * delta[t][j];
        }
        for (Index k = 0; k < H; ++k) da0.view()(b, k) += t == 1 ? W(j, k) * delta[1][j] : 0;
      }
    }
  }

  EXPECT_NEAR(model->loss(), C, 1e-13 * C);
  const auto same = [&](const char* name, Tensor<double>& by_hand) {
    const auto& tensor = *named.at(name);
    ASSERT_EQ(tensor.gradient.size(), by_hand.view().size()) << name;
    double largest = 0;
    for (Index e = 0; e < tensor.gradient.size(); ++e) {
      EXPECT_NEAR(tensor.gradient[e], by_hand.view()[e], 1e-13) << name << "[" << e << "]";
      largest = std::max(largest, std::abs(by_hand.view()[e]));
    }
    EXPECT_GT(largest, 1e-6) << name;
  };
  same("weight_ih_l0", dU);
  same("weight_hh_l0", dW);
  same("head.weight", dV);
  same("x", dx);
  same("h0", da0);
}

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const char* cell : {"rnn", "rnn:sigmoid", "rnn:relu", "rnn:leaky_relu"}) {
    all.push_back({"siso", cell, false, false});
    all.push_back({"simo", cell, false, true});
    all.push_back({"mimo", cell, true, true});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Textbook, ClosedForms, testing::ValuesIn(every_case()));

}  // namespace
}  // namespace bptt::net
