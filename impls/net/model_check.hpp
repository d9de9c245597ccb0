// For tests: a model's analytic gradient against the complex step and against finite differences,
// element by element.
//
//   complex step        Im L(theta + i h) / h, h = 1e-30 (Squire and Trapp 1998)
//   finite differences  central, in long double, Richardson-extrapolated
//
// Both only run forward; neither knows how a gradient is computed.
#pragma once

#include <cmath>
#include <complex>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "impls/naive/naive.hpp"
#include "impls/net/model.hpp"

namespace bptt::net {

template <Scalar T>
PlanMaker<T> naive_plans() {
  return [](const Spec& spec) { return naive::make_plan<T>(spec); };
}

/// Number k of a stream of numbers in (0,1) that no transposition keeps.
inline double number(Index k) {
  const double x = 1e4 * std::sin(static_cast<double>(12 * k + 7));
  return x - std::floor(x);
}

template <Scalar T>
bool is_padding(const ModelTensor<T>& tensor, Index element) {
  if (tensor.lengths == nullptr) return false;
  const Extents& e = tensor.value.extents();
  const Index row = element / e[2];
  return row / e[1] >= (*tensor.lengths)[static_cast<std::size_t>(row % e[1])];
}

/// The same numbers in every T: parameters in (-0.7,0.7), inputs and upstream gradients in (-1,1),
/// targets in (0,1). Padding is NaN, and so are results before they are computed.
template <Scalar T>
void fill_model(Model<T>& model) {
  const T nan(std::numeric_limits<double>::quiet_NaN());
  Index k = 0;
  for (const ModelTensor<T>& tensor : model.tensors()) {
    for (Index e = 0; e < tensor.value.size(); ++e) {
      const double u = number(++k);
      const double value = tensor.role == Role::target      ? u
                           : tensor.role == Role::parameter ? 1.4 * u - 0.7
                                                            : 2 * u - 1;
      const bool unread = tensor.role == Role::output || is_padding(tensor, e);
      tensor.value[e] = unread ? nan : T(static_cast<float>(value));
      if (tensor.gradient) tensor.gradient[e] = nan;
    }
  }
  for (Index& target : model.targets()) target = (++k * 5 + 3) % model.classes();
}

/// L of the model with one element moved by `step`; the element is left as it was.
template <Scalar T>
T moved_loss(Model<T>& model, T& element, T step) {
  const T kept = element;
  element = kept + step;
  model.forward();
  element = kept;
  return model.loss();
}

inline double complex_step(Model<std::complex<double>>& model, std::complex<double>& element) {
  constexpr double h = 1e-30;
  return moved_loss(model, element, std::complex<double>(0, h)).imag() / h;
}

/// Three levels of Neville's table in h^2; a step that crosses a kink (of relu) shows in how little
/// the last two agree, and a shorter one is taken.
inline double finite_difference(Model<long double>& model, long double& element) {
  const auto difference = [&](long double h) {
    return (moved_loss(model, element, h) - moved_loss(model, element, -h)) / (2 * h);
  };
  long double best = 0, best_error = std::numeric_limits<long double>::infinity();
  for (long double h = 0x1p-10L; h > 0x1p-30L && best_error > 1e-12L; h /= 32) {
    const long double d1 = difference(h), d2 = difference(h / 2), d4 = difference(h / 4);
    const long double e2 = (4 * d2 - d1) / 3, e4 = (4 * d4 - d2) / 3;
    const long double error = std::abs(e4 - e2);
    if (error < best_error) best_error = error, best = (16 * e4 - e2) / 15;
  }
  return static_cast<double>(best);
}

/// `make(std::type_identity<T>{})` gives the model in T, the same for every T. Checks every element
/// of every parameter and input, that the gradient of padding is zero, and that there is a gradient
/// to check in every tensor.
template <class Make>
void expect_right_gradients(Make make) {
  const auto analytic = make(std::type_identity<double>{});
  const auto complex = make(std::type_identity<std::complex<double>>{});
  const auto wide = make(std::type_identity<long double>{});
  fill_model(*analytic);
  fill_model(*complex);
  fill_model(*wide);
  // Twice: nothing of the first run may be left in the second.
  for (int run = 0; run < 2; ++run) {
    analytic->forward();
    analytic->backward();
  }
  complex->forward();
  EXPECT_NEAR(analytic->loss(), complex->loss().real(), 1e-12 * (1 + std::abs(analytic->loss())));
  for (std::size_t i = 0; i < analytic->tensors().size(); ++i) {
    const auto& tensor = analytic->tensors()[i];
    const auto& as_complex = complex->tensors()[i];
    const auto& as_wide = wide->tensors()[i];
    ASSERT_EQ(tensor.name, as_complex.name);
    if (tensor.role != Role::parameter && tensor.role != Role::input) {
      EXPECT_FALSE(tensor.gradient) << tensor.name;
      continue;
    }
    ASSERT_TRUE(tensor.gradient) << tensor.name;
    double largest = 0;
    for (Index e = 0; e < tensor.value.size(); ++e) {
      const double gradient = tensor.gradient[e];
      if (is_padding(tensor, e)) {
        EXPECT_EQ(gradient, 0) << tensor.name << "[" << e << "], padding";
        continue;
      }
      const double exact = complex_step(*complex, as_complex.value[e]);
      EXPECT_NEAR(gradient, exact, 1e-12 * (1 + std::abs(exact))) << tensor.name << "[" << e << "]";
      EXPECT_NEAR(gradient, finite_difference(*wide, as_wide.value[e]),
                  1e-10 * (1 + std::abs(exact)))
          << tensor.name << "[" << e << "], finite differences";
      largest = std::max(largest, std::abs(exact));
    }
    EXPECT_GT(largest, 1e-6) << tensor.name << " has no gradient to check";
  }
}

}  // namespace bptt::net
