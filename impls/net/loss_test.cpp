// Softmax cross-entropy: its value by hand, its gradient by finite differences, and its extremes.
#include "impls/net/loss.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "impls/api/tensor.hpp"

namespace bptt::net {
namespace {

constexpr Index steps = 3, batch = 2, outputs = 5;
const std::vector<Index> targets = {4, 0, 2, 3, 1, 2};

struct Case {
  Tensor<double> logits{{steps, batch, outputs}}, gradient{{steps, batch, outputs}};
  std::vector<Index> lengths;

  Case() {
    for (Index i = 0; i < logits.view().size(); ++i) {
      logits.view()[i] = 2 * std::sin(3.1 * static_cast<double>(i));
    }
  }
  double loss(double scale = 1) {
    return softmax_cross_entropy<double>(std::as_const(logits).view(), targets, lengths, scale,
                                         gradient.view());
  }
};

TEST(SoftmaxCrossEntropy, EqualLogitsCostTheLogarithmOfTheirNumber) {
  Case c;
  std::fill(c.logits.view().begin(), c.logits.view().end(), 3.0);
  EXPECT_NEAR(c.loss(), 6 * std::log(5.0), 1e-14);
}

TEST(SoftmaxCrossEntropy, GradientIsThatOfFiniteDifferences) {
  for (const std::vector<Index>& lengths : {std::vector<Index>{}, std::vector<Index>{3, 1}}) {
    Case c;
    c.lengths = lengths;
    constexpr double scale = 0.25, step = 1e-4;
    c.loss(scale);
    const std::vector<double> gradient(c.gradient.view().begin(), c.gradient.view().end());
    for (Index i = 0; i < c.logits.view().size(); ++i) {
      double& logit = c.logits.view()[i];
      const double kept = logit;
      logit = kept + step;
      const double above = c.loss();
      logit = kept - step;
      const double below = c.loss();
      logit = kept;
      EXPECT_NEAR(gradient[static_cast<std::size_t>(i)], scale * (above - below) / (2 * step),
                  1e-8);
    }
  }
}

TEST(SoftmaxCrossEntropy, PaddingCostsNothingAndItsTargetsAreNotRead) {
  Case c;
  c.lengths = {3, 0};
  std::vector<Index> some = targets;
  some[1] = some[3] = some[5] = -1;
  const double loss = softmax_cross_entropy<double>(std::as_const(c.logits).view(), some, c.lengths,
                                                    1, c.gradient.view());
  double first_sequence = 0;
  for (Index t = 0; t < steps; ++t) {
    double sum = 0;
    for (Index o = 0; o < outputs; ++o) {
      sum += std::exp(c.logits.view()(t, 0, o));
      EXPECT_EQ(c.gradient.view()(t, 1, o), 0);
    }
    first_sequence +=
        std::log(sum) - c.logits.view()(t, 0, targets[static_cast<std::size_t>(2 * t)]);
  }
  EXPECT_NEAR(loss, first_sequence, 1e-13);
}

TEST(SoftmaxCrossEntropy, LargeLogitsNeitherOverflowNorLoseTheLoss) {
  Tensor<float> logits({1, 1, 3}), gradient({1, 1, 3});
  logits.view()[0] = 1e38f;
  logits.view()[1] = -1e38f;
  const std::vector<Index> right = {0}, wrong = {2};
  const auto loss = [&](const std::vector<Index>& target) {
    return softmax_cross_entropy<float>(std::as_const(logits).view(), target, {}, 1,
                                        gradient.view());
  };
  EXPECT_EQ(loss(right), 0);
  EXPECT_FLOAT_EQ(static_cast<float>(loss(wrong)), 1e38f);
  EXPECT_EQ(gradient.view()[0], 1);
  EXPECT_EQ(gradient.view()[2], -1);
}

TEST(SoftmaxCrossEntropy, TargetsOutsideAreNamed) {
  Case c;
  std::vector<Index> bad = targets;
  bad[3] = outputs;
  try {
    softmax_cross_entropy<double>(std::as_const(c.logits).view(), bad, {}, 1, c.gradient.view());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "target[1,1]: expected 0..4; got 5");
  }
  bad.pop_back();
  EXPECT_THROW(
      softmax_cross_entropy<double>(std::as_const(c.logits).view(), bad, {}, 1, c.gradient.view()),
      Error);
}

}  // namespace
}  // namespace bptt::net
