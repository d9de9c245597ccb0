// Initial parameters: bounds, the forget bias, and the same start in every precision.
#include "impls/net/initialise.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "impls/api/tensor.hpp"

namespace bptt::net {
namespace {

const Spec lstm{parse_cell("lstm"), {1, 1, 3, 25}};

TEST(Initialise, IsUniformWithinPyTorchsBound) {
  Problem<double> problem(lstm);
  Random random(1);
  initialise(lstm, problem.params, random);
  double sum = 0, squares = 0, largest = 0;
  const auto values = problem.params.weight_hh;
  for (const double value : values) {
    sum += value;
    squares += value * value;
    largest = std::max(largest, std::abs(value));
  }
  const double bound = 1 / std::sqrt(25.0), count = static_cast<double>(values.size());
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.99 * bound);
  // Mean 0 and variance bound^2/3, within five standard errors.
  EXPECT_NEAR(sum / count, 0, 5 * bound / std::sqrt(3 * count));
  EXPECT_NEAR(squares / count, bound * bound / 3, 5 * bound * bound * std::sqrt(4 / 45. / count));
}

TEST(Initialise, ForgetBiasIsTheSumOfBothBiases) {
  Problem<float> problem(lstm);
  Random random(1);
  initialise(lstm, problem.params, random, 2.0);
  for (Index row = 0; row < 100; ++row) {
    const float sum = problem.params.bias_ih[row] + problem.params.bias_hh[row];
    if (row / 25 == 1) {
      EXPECT_EQ(sum, 2.0f);
    } else {
      EXPECT_LT(std::abs(sum), 0.5f);
    }
  }
}

TEST(Initialise, OtherCellsHaveNoForgetBias) {
  for (const char* text : {"gru", "rnn", "lstm:bias=off"}) {
    const Spec spec{parse_cell(text), {1, 1, 3, 4}};
    Problem<float> with(spec), without(spec);
    Random first(1), second(1);
    initialise(spec, with.params, first, 2.0);
    initialise(spec, without.params, second);
    for_each(spec, with.params, [&](const TensorInfo& info, View<float> values) {
      for_each(spec, without.params, [&](const TensorInfo& other, View<float> expected) {
        if (info.base_name != other.base_name) return;
        for (Index i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], expected[i]);
      });
    });
  }
}

TEST(Initialise, StartsAtTheSamePointInEveryPrecision) {
  Problem<float> narrow(lstm);
  Problem<double> wide(lstm);
  Random first(7), second(7);
  initialise(lstm, narrow.params, first);
  initialise(lstm, wide.params, second);
  fill_normal(narrow.in.x, 1, first);
  fill_normal(wide.in.x, 1, second);
  for (Index i = 0; i < narrow.params.weight_ih.size(); ++i) {
    EXPECT_EQ(static_cast<double>(narrow.params.weight_ih[i]), wide.params.weight_ih[i]);
  }
  EXPECT_EQ(static_cast<double>(narrow.in.x[2]), wide.in.x[2]);
}

}  // namespace
}  // namespace bptt::net
