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

TEST(Initialise, StartsAtTheSamePointInEveryPrecisionAndRun) {
  for (const Init init : {Init::uniform, Init::xavier, Init::orthogonal, Init::identity}) {
    Problem<float> narrow(lstm), again(lstm);
    Problem<double> wide(lstm);
    Random first(7), second(7), third(7);
    initialise(lstm, narrow.params, first, 1.0, init);
    initialise(lstm, wide.params, second, 1.0, init);
    initialise(lstm, again.params, third, 1.0, init);
    const auto same = [&](View<float> a, View<double> b, View<float> c) {
      for (Index i = 0; i < a.size(); ++i) {
        EXPECT_EQ(static_cast<double>(a[i]), b[i]) << name_of(init);
        EXPECT_EQ(a[i], c[i]) << name_of(init);
      }
    };
    same(narrow.params.weight_ih, wide.params.weight_ih, again.params.weight_ih);
    same(narrow.params.weight_hh, wide.params.weight_hh, again.params.weight_hh);
    same(narrow.params.bias_ih, wide.params.bias_ih, again.params.bias_ih);
  }
}

TEST(Initialise, AnotherSeedIsAnotherStart) {
  Problem<double> one(lstm), other(lstm);
  for (const Init init : {Init::uniform, Init::xavier, Init::orthogonal}) {
    Random first(7), second(8);
    initialise(lstm, one.params, first, {}, init);
    initialise(lstm, other.params, second, {}, init);
    EXPECT_NE(one.params.weight_hh[0], other.params.weight_hh[0]) << name_of(init);
  }
}

/// The block of a gate [H,columns].
View<double> block(View<double> weights, Index gate, Index H) {
  const Index columns = weights.extents()[1];
  return {weights.data() + gate * H * columns, {H, columns}};
}

void expect_zero(View<double> values) {
  for (const double value : values) EXPECT_EQ(value, 0);
}

TEST(Initialise, XavierIsBoundedByRowsAndColumnsOfEachGate) {
  const Spec spec{parse_cell("lstm:peephole"), {1, 1, 71, 25}};
  Problem<double> problem(spec);
  Random random(1);
  initialise(spec, problem.params, random, {}, Init::xavier);
  const auto check = [](View<double> values, double bound) {
    double largest = 0, squares = 0;
    for (const double value : values) {
      largest = std::max(largest, std::abs(value));
      squares += value * value;
    }
    const auto count = static_cast<double>(values.size());
    EXPECT_LE(largest, bound * (1 + 1e-7));
    EXPECT_GT(largest, 0.98 * bound);
    // Glorot and Bengio's variance, 2/(rows+columns) = bound^2/3.
    EXPECT_NEAR(squares / count, bound * bound / 3, 5 * bound * bound * std::sqrt(4 / 45. / count));
  };
  for (Index gate = 0; gate < 4; ++gate) {
    check(block(problem.params.weight_ih, gate, 25), std::sqrt(6. / (71 + 25)));
    check(block(problem.params.weight_hh, gate, 25), std::sqrt(6. / (25 + 25)));
  }
  expect_zero(problem.params.bias_ih);
  expect_zero(problem.params.bias_hh);
  EXPECT_NE(problem.params.weight_peephole[0], 0);
}

/// How far rows (or columns) are from orthonormal.
double distance_from_orthonormal(View<double> m, bool rows) {
  const Index vectors = m.extents()[rows ? 0 : 1], length = m.extents()[rows ? 1 : 0];
  double worst = 0;
  for (Index a = 0; a < vectors; ++a) {
    for (Index b = 0; b < vectors; ++b) {
      double sum = a == b ? -1 : 0;
      for (Index j = 0; j < length; ++j) sum += rows ? m(a, j) * m(b, j) : m(j, a) * m(j, b);
      worst = std::max(worst, std::abs(sum));
    }
  }
  return worst;
}

TEST(Initialise, OrthogonalBlocksAreOrthonormal) {
  for (const Index inputs : {7, 25, 71}) {
    const Spec spec{parse_cell("gru"), {1, 1, inputs, 25}};
    Problem<double> problem(spec);
    Random random(3);
    initialise(spec, problem.params, random, {}, Init::orthogonal);
    // Entries are rounded to f32.
    constexpr double rounding = 4e-7;
    for (Index gate = 0; gate < 3; ++gate) {
      const auto hh = block(problem.params.weight_hh, gate, 25);
      EXPECT_LT(distance_from_orthonormal(hh, true), rounding);
      EXPECT_LT(distance_from_orthonormal(hh, false), rounding);
      EXPECT_LT(distance_from_orthonormal(block(problem.params.weight_ih, gate, 25), inputs >= 25),
                rounding);
    }
    // Blocks are matrices of their own.
    EXPECT_NE(problem.params.weight_hh[0], problem.params.weight_hh[Index{25} * 25]);
    expect_zero(problem.params.bias_hh);
  }
}

TEST(Initialise, OrthogonalMatricesHaveNoPreferredDirection) {
  // Evenly drawn, an entry of an n x n orthogonal matrix has mean 0 and variance 1/n.
  constexpr Index n = 4, draws = 4000;
  std::vector<double> values(n * n);
  std::vector<double> sum(n * n), squares(n * n);
  Random random(11);
  for (Index draw = 0; draw < draws; ++draw) {
    fill_orthogonal(View<double>(values.data(), {n, n}), random);
    for (std::size_t k = 0; k < values.size(); ++k) {
      sum[k] += values[k];
      squares[k] += values[k] * values[k];
    }
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    EXPECT_NEAR(sum[k] / draws, 0, 5 * 0.5 / std::sqrt(draws));
    EXPECT_NEAR(squares[k] / draws, 0.25, 5 * 0.25 / std::sqrt(draws));
  }
}

TEST(Initialise, IdentityIsLeCopyingItsState) {
  const Spec spec{parse_cell("rnn:relu"), {1, 1, 300, 25}};
  Problem<double> problem(spec);
  Random random(5);
  initialise(spec, problem.params, random, {}, Init::identity);
  for (Index i = 0; i < 25; ++i) {
    for (Index j = 0; j < 25; ++j) EXPECT_EQ(problem.params.weight_hh(i, j), i == j ? 1 : 0);
  }
  expect_zero(problem.params.bias_ih);
  expect_zero(problem.params.bias_hh);
  double squares = 0;
  for (const double value : problem.params.weight_ih) squares += value * value;
  const auto count = static_cast<double>(problem.params.weight_ih.size());
  EXPECT_NEAR(squares / count, 1e-6, 5e-6 * std::sqrt(2 / count));
}

TEST(Initialise, ADenseLayerFollowsTheScheme) {
  Tensor<double> weight({30, 25}), bias({30});
  Random random(2);
  const auto largest = [](const Tensor<double>& tensor) {
    double most = 0;
    for (const double value : tensor.view()) most = std::max(most, std::abs(value));
    return most;
  };
  initialise_dense(weight.view(), bias.view(), random);
  EXPECT_LE(largest(weight), 0.2);
  EXPECT_GT(largest(weight), 0.19);
  EXPECT_GT(largest(bias), 0.1);
  initialise_dense(weight.view(), bias.view(), random, Init::orthogonal);
  EXPECT_LT(distance_from_orthonormal(weight.view(), false), 4e-7);
  expect_zero(bias.view());
  for (const Init init : {Init::xavier, Init::identity}) {
    initialise_dense(weight.view(), bias.view(), random, init);
    EXPECT_NEAR(largest(weight), std::sqrt(6. / 55), 0.005);
  }
}

TEST(Initialise, NamesAndBack) {
  for (const char* name : {"uniform", "xavier", "orthogonal", "identity"}) {
    EXPECT_EQ(name_of(parse_init(name)), name);
  }
  EXPECT_THROW(parse_init("zero"), Error);
}

}  // namespace
}  // namespace bptt::net
