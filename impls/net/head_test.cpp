// The head by itself: which rows count, what is written where they do not, and one backward for
// each forward. Its gradients within networks: network_test.cpp.
#include "impls/net/head.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

using testing::HasSubstr;

constexpr Index steps = 4, batch = 3, width = 2, outputs = 5;
const std::vector<Index> lengths = {4, 0, 2};

struct Case {
  explicit Case(const HeadSpec& spec) : head(spec, steps, batch, width, lengths) {
    Index k = 0;
    for (Tensor<double>* tensor : {&weight, &bias, &target}) {
      for (double& element : tensor->view()) element = number(++k) - 0.5;
    }
    params = {{weight.view(), bias.view()}};
    grads = {{dweight.view(), dbias.view()}};
    read_only.assign(params.begin(), params.end());
  }
  double forward() { return head.forward(read_only, a.view(), {target.view(), {}}); }
  void backward() { head.backward(read_only, a.view(), grads, da.view()); }

  Head<double> head;
  Tensor<double> a{{steps, batch, width}}, da{{steps, batch, width}};
  Tensor<double> target{{steps, batch, outputs}};
  Tensor<double> weight{{outputs, width}}, dweight{{outputs, width}}, bias{{outputs}},
      dbias{{outputs}};
  std::vector<DenseParams<double>> params, grads;
  std::vector<DenseParams<const double>> read_only;
};

TEST(Head, ReadsAndWritesTheRowsThatCount) {
  for (const Steps which : {Steps::all, Steps::last}) {
    Case c({outputs, Loss::half_squared_error, which, Reduction::mean_over_batch});
    const auto counts = [&](Index t, Index b) {
      const Index length = lengths[static_cast<std::size_t>(b)];
      return which == Steps::all ? t < length : t + 1 == length;
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < batch; ++b) {
        for (Index j = 0; j < width; ++j) {
          c.a.view()(t, b, j) = counts(t, b) ? number(7 * t + 3 * b + j) : nan;
          c.da.view()(t, b, j) = nan;
        }
      }
    }
    const double loss = c.forward();
    c.backward();
    double by_hand = 0;
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < batch; ++b) {
        double da[width] = {};
        for (Index o = 0; counts(t, b) && o < outputs; ++o) {
          double error = c.bias.view()[o] - c.target.view()(t, b, o);
          for (Index j = 0; j < width; ++j) error += c.weight.view()(o, j) * c.a.view()(t, b, j);
          by_hand += 0.5 * error * error / batch;
          for (Index j = 0; j < width; ++j) da[j] += error / batch * c.weight.view()(o, j);
        }
        for (Index j = 0; j < width; ++j) EXPECT_NEAR(c.da.view()(t, b, j), da[j], 1e-15);
      }
    }
    EXPECT_NEAR(loss, by_hand, 1e-15);
  }
}

TEST(Head, RefusesInWords) {
  Case c({outputs, Loss::half_squared_error});
  const auto message_of = [](auto body) {
    try {
      body();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message_of([&] { c.backward(); }), HasSubstr("one forward before each backward"));
  c.forward();
  c.backward();
  EXPECT_THAT(message_of([&] { c.backward(); }), HasSubstr("one forward before each backward"));
  c.a = Tensor<double>({steps, batch, width + 1});
  EXPECT_EQ(message_of([&] { c.forward(); }),
            "head: expected states of extents [4,3,2]; got [4,3,3]");
  EXPECT_EQ(message_of([] { Head<double>({5}, Index{1} << 30, 8, 4, {}); }),
            "head: expected at most 2147483647 steps of all sequences together (T*B); got "
            "8589934592");
}

TEST(Head, NamesItsLayersFromTheBottom) {
  HeadSpec spec{outputs};
  spec.hidden = {{3, LayerActivation::tanh}, {4, LayerActivation::relu}};
  EXPECT_EQ(head_prefix(spec, 0), "head.hidden0.");
  EXPECT_EQ(head_prefix(spec, 1), "head.hidden1.");
  EXPECT_EQ(head_prefix(spec, 2), "head.");
  EXPECT_EQ(to_string(spec), "O=5 softmax_cross_entropy hidden=3:tanh hidden=4:relu");
}

}  // namespace
}  // namespace bptt::net
