// Losses: their values by hand, their gradients by finite differences, and their extremes.
#include "impls/net/loss.hpp"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>

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

/// One row of logits, and what they are compared with.
template <Real T>
struct Row {
  Tensor<T> q, y, dq;
  std::vector<Index> classes;
  const std::vector<Index> rows = {0};

  explicit Row(std::vector<double> logits, std::vector<double> values = {}, Index right = 0)
      : q({1, static_cast<Index>(logits.size())}),
        y({1, 1, static_cast<Index>(logits.size())}),
        dq(q.view().extents()),
        classes{right} {
    values.resize(logits.size());
    for (std::size_t o = 0; o < logits.size(); ++o) {
      q.view()[static_cast<Index>(o)] = static_cast<T>(logits[o]);
      y.view()[static_cast<Index>(o)] = static_cast<T>(values[o]);
    }
  }
  T loss(Loss loss, double scale = 1) {
    return loss_of_rows<T>(loss, q.view(), rows, 1, {y.view(), classes}, scale, dq.view());
  }
};

TEST(HalfSquaredError, IsHalfTheSumOfSquares) {
  Row<double> row({1, -2, 0.5}, {0.5, 1, 0.5});
  EXPECT_DOUBLE_EQ(row.loss(Loss::half_squared_error), 0.5 * (0.25 + 9));
  EXPECT_THAT(std::vector<double>(row.dq.view().begin(), row.dq.view().end()),
              testing::ElementsAre(0.5, -3, 0));
}

TEST(SigmoidCrossEntropy, HasKnownValues) {
  Row<double> half({0, 0}, {1, 0.25});
  EXPECT_DOUBLE_EQ(half.loss(Loss::sigmoid_cross_entropy), 2 * std::log(2.0));
  EXPECT_DOUBLE_EQ(half.dq.view()[0], -0.5);
  EXPECT_DOUBLE_EQ(half.dq.view()[1], 0.25);
  const double s = 1 / (1 + std::exp(-1.5));
  Row<double> row({1.5, -1.5}, {0.25, 0.25});
  EXPECT_NEAR(
      row.loss(Loss::sigmoid_cross_entropy),
      -0.25 * std::log(s) - 0.75 * std::log(1 - s) - 0.25 * std::log(1 - s) - 0.75 * std::log(s),
      1e-15);
}

// Where q overflows an exponential, the loss is |q| on the wrong side and 0 on the right one.
template <Real T>
void expect_stable(T huge) {
  SCOPED_TRACE(huge);
  const auto sigmoid_loss = [&](T q, double target) {
    Row<T> row({static_cast<double>(q)}, {target});
    const T loss = row.loss(Loss::sigmoid_cross_entropy);
    EXPECT_EQ(row.dq.view()[0], static_cast<T>(q > 0 ? 1 - target : 0 - target));
    return loss;
  };
  EXPECT_EQ(sigmoid_loss(huge, 1), 0);
  EXPECT_EQ(sigmoid_loss(-huge, 0), 0);
  EXPECT_EQ(sigmoid_loss(huge, 0), huge);
  EXPECT_EQ(sigmoid_loss(-huge, 1), huge);

  const auto softmax_loss = [&](Index right) {
    Row<T> row({static_cast<double>(huge), 0, -static_cast<double>(huge)}, {}, right);
    const T loss = row.loss(Loss::softmax_cross_entropy);
    for (Index o = 0; o < 3; ++o) EXPECT_EQ(row.dq.view()[o], (o == 0) - (o == right));
    return loss;
  };
  EXPECT_EQ(softmax_loss(0), 0);
  EXPECT_EQ(softmax_loss(1), huge);
  EXPECT_EQ(softmax_loss(2), 2 * huge);
  // Equal logits, however large: the logarithm of their number is not lost in f64 sums of small
  // ones.
  Row<T> equal({static_cast<double>(huge), static_cast<double>(huge)}, {}, 1);
  EXPECT_FLOAT_EQ(static_cast<float>(equal.loss(Loss::softmax_cross_entropy)), std::log(2.0f));
}

TEST(CrossEntropies, AreStableAtLargeLogits) {
  for (const double huge : {1e4, 1e30}) {
    expect_stable<double>(huge);
    expect_stable<float>(static_cast<float>(huge));
  }
}

TEST(Losses, GradientsAreThoseOfFiniteDifferences) {
  for (const Loss loss :
       {Loss::half_squared_error, Loss::sigmoid_cross_entropy, Loss::softmax_cross_entropy}) {
    Row<double> row({1.3, -0.7, 0.2, 2.9}, {0.1, 0.9, 0.5, 0.3}, 2);
    constexpr double scale = 0.25, step = 1e-5;
    row.loss(loss, scale);
    const std::vector<double> gradient(row.dq.view().begin(), row.dq.view().end());
    for (Index o = 0; o < 4; ++o) {
      double& q = row.q.view()[o];
      const double kept = q;
      q = kept + step;
      const double above = row.loss(loss, scale);
      q = kept - step;
      const double below = row.loss(loss, scale);
      q = kept;
      EXPECT_NEAR(gradient[static_cast<std::size_t>(o)], (above - below) / (2 * step), 1e-10)
          << name_of(loss);
    }
  }
}

TEST(Losses, RefuseTargetsOutside) {
  const auto message_of = [](auto& row, Loss loss) {
    try {
      row.loss(loss);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  for (const Index wrong : {Index{-1}, Index{3}}) {
    Row<double> row({0, 0, 0}, {}, wrong);
    EXPECT_EQ(message_of(row, Loss::softmax_cross_entropy),
              "target[0,0]: expected 0..2; got " + std::to_string(wrong));
  }
  Row<double> above({0, 0}, {0.5, 1.5});
  EXPECT_THAT(
      message_of(above, Loss::sigmoid_cross_entropy),
      testing::HasSubstr("target[0,0], output 1: expected a probability in [0,1]; got 1.5"));
  Row<double> nan({0, 0}, {std::nan(""), 0});
  EXPECT_THAT(message_of(nan, Loss::sigmoid_cross_entropy), testing::HasSubstr("output 0"));
}

TEST(Losses, RefuseExtentsThatDoNotFit) {
  Row<double> row({0, 0});
  row.dq = Tensor<double>({1, 3});
  EXPECT_THROW(row.loss(Loss::half_squared_error), Error);
  Row<double> few({0, 0});
  few.classes.clear();
  EXPECT_THROW(few.loss(Loss::softmax_cross_entropy), Error);
  few.y = Tensor<double>({1, 1, 1});
  EXPECT_THROW(few.loss(Loss::half_squared_error), Error);
}

TEST(CountedRows, AreTheLiveStepsOrEachSequencesLast) {
  const std::vector<Index> lengths = {2, 0, 3};
  EXPECT_THAT(counted_rows(3, 3, lengths, Steps::all), testing::ElementsAre(0, 2, 3, 5, 8));
  EXPECT_THAT(counted_rows(3, 3, lengths, Steps::last), testing::ElementsAre(3, 8));
  EXPECT_THAT(counted_rows(2, 2, {}, Steps::all), testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(counted_rows(2, 2, {}, Steps::last), testing::ElementsAre(2, 3));
}

TEST(ScaleOf, IsWhatItsNameSays) {
  EXPECT_EQ(scale_of(Reduction::sum, 8, 4), 1);
  EXPECT_EQ(scale_of(Reduction::mean_over_steps, 8, 4), 0.125);
  EXPECT_EQ(scale_of(Reduction::mean_over_batch, 8, 4), 0.25);
  EXPECT_EQ(scale_of(Reduction::mean_over_steps, 0, 4), 1);
}

TEST(LossNames, AreParsedBack) {
  for (const Loss loss :
       {Loss::half_squared_error, Loss::sigmoid_cross_entropy, Loss::softmax_cross_entropy}) {
    EXPECT_EQ(parse_loss(name_of(loss)), loss);
  }
  EXPECT_EQ(parse_steps("last"), Steps::last);
  EXPECT_EQ(parse_reduction("mean_over_steps"), Reduction::mean_over_steps);
  try {
    parse_steps("first");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "steps: expected one of all, last; got 'first'");
  }
}

}  // namespace
}  // namespace bptt::net
