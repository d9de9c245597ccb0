// B: "Recurrent Neural Networks", its plain recurrent network and the size of da(t)/da(k).
#include <algorithm>

#include "verify/flow/norms.hpp"
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

enum class G1 { tanh, relu, sigmoid };

/// g1 with the suite's cell that has it, and its largest slope.
struct Slope {
  G1 g1;
  const char* cell;
  double gamma;
};
constexpr Slope tanh_unit{G1::tanh, "rnn", 1}, relu_unit{G1::relu, "rnn:relu", 1},
    sigmoid_unit{G1::sigmoid, "rnn:sigmoid", 0.25};

template <class T>
Matrix<T> g1(const Slope& unit, const Matrix<T>& p) {
  if (unit.g1 == G1::tanh) return tanh(p);
  if (unit.g1 == G1::sigmoid) return sigmoid(p);
  return map(p, [](const T& z) { return std::real(z) > 0 ? z : T(0); });
}

Real g1_slope(const Slope& unit, const Real& a) {
  if (unit.g1 == G1::tanh) return tanh_slope(a);
  if (unit.g1 == G1::sigmoid) return sigmoid_slope(a);
  return map(a, [](double value) { return value > 0 ? 1.0 : 0.0; });
}

struct Forward {
  int steps;
  Slope unit;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> a = w["a(0)"];
    for (int t = 1; t <= steps; ++t) {
      a = g1(unit, mul(w["W"], a) + mul(w["U"], w[at("x", t)]) + w["b"]) + w[at("a", t)];
      out[at("a", t)] = a;
      loss += softmax_output(w, t, a, out);
    }
    return loss;
  }
};

Named<double> draw_network(int steps) {
  net::Random random(2);
  Named<double> given;
  // The bias keeps relu units alive.
  draw_cell(random, steps, {{"", 0.6}}, {"a"}, given);
  draw_output_layer(random, steps, given);
  given["a(0)"] = draw(random, hidden, 1, 0.5);
  return given;
}

Study make_study(int steps, const Slope& unit) {
  Study s = study_of(steps, draw_network(steps), Forward{steps, unit});
  s.forward["a(0)"] = s.given["a(0)"];
  Named<double> upstream;
  for (int t = 1; t <= steps; ++t) {
    upstream[at("a", t)] =
        mul(transposed(s.given["V"]), s.forward[at("yhat", t)] - s.given[at("y", t)]);
  }
  s.from_naive = run_naive({unit.cell, {""}}, steps, s.given, upstream).gradient;
  return s;
}

/// Product over i = k+1..t of W^T diag(g1'(i)), in this order.
Real chain(const Study& s, const Slope& unit, int t, int k) {
  Real product = identity<double>(hidden);
  for (int i = k + 1; i <= t; ++i) {
    product =
        mul(product, mul(transposed(s.given["W"]), diag(g1_slope(unit, s.forward[at("a", i)]))));
  }
  return product;
}

/// The same factors in the order i = t..k+1.
Real chain_descending(const Study& s, const Slope& unit, int t, int k) {
  Real product = identity<double>(hidden);
  for (int i = t; i > k; --i) {
    product =
        mul(product, mul(transposed(s.given["W"]), diag(g1_slope(unit, s.forward[at("a", i)]))));
  }
  return product;
}

Named<double> printed(const Study& s, const Slope& unit) {
  Named<double> g;
  for (int t = 1; t <= s.steps; ++t) {
    const Real error = s.forward[at("yhat", t)] - s.given[at("y", t)];
    g["V"] += outer(error, s.forward[at("a", t)]);
    g["b_y"] += error;
    for (int k = 1; k <= t; ++k) {
      const Real arrived = mul(chain(s, unit, t, k), mul(transposed(s.given["V"]), error));
      const Real local = g1_slope(unit, s.forward[at("a", k)]) * arrived;
      g["W"] += outer(local, s.forward[at("a", k - 1)]);
      g["U"] += outer(local, s.given[at("x", k)]);
    }
  }
  return g;
}

/// da(steps)/da(k), transposed, of every k under one another: as printed, and by complex step.
template <class Product>
Sample jacobians(int steps, const Slope& unit, Product product) {
  const Study s = make_study(steps, unit);
  Sample all;
  for (int k = 0; k < steps; ++k) {
    all.printed = stacked(all.printed, product(s, unit, steps, k));
    all.truth =
        stacked(all.truth, complex_step_jacobian(s.given, at("a", k), [&](const Named<Complex>& z) {
                  Named<Complex> left;
                  Forward{steps, unit}(z, left);
                  return left[at("a", steps)];
                }));
  }
  return all;
}

double operator_norm(const Real& a) {
  return flow::largest_singular_value({a.values().data(), {a.rows(), a.columns()}});
}

/// How far the norm lies above its bound, for each k: nothing where it holds.
Sample bound_excess(int steps, const Slope& unit) {
  const Sample all = jacobians(steps, unit, chain);
  const double gamma_w = operator_norm(draw_network(steps)["W"]);
  Sample sample{Real(steps, 1), Real(steps, 1), {}};
  for (int k = 0; k < steps; ++k) {
    Real jacobian(hidden, hidden);
    for (Index i = 0; i < hidden; ++i) {
      for (Index j = 0; j < hidden; ++j) jacobian(i, j) = all.truth(k * hidden + i, j);
    }
    const double bound = std::pow(gamma_w * unit.gamma, steps - k);
    sample.truth(k, 0) = bound;
    sample.printed(k, 0) = std::max(bound, operator_norm(jacobian));
  }
  return sample;
}

/// d(loss)/dq of one prediction q, beside yhat - y.
template <class Squash, class Loss>
Sample output_error(int steps, Squash squash, Loss loss) {
  net::Random random(static_cast<std::uint64_t>(10 + steps));
  Named<double> given;
  given["q"] = draw(random, outputs, 1, 2);
  const Real y = one_hot(random, outputs);
  given["y"] = y;
  const Named<double> gradient =
      complex_step(given, [&](const Named<Complex>& z) { return loss(z["y"], squash(z["q"])); });
  return {squash(given["q"]) - y, gradient["q"], {}};
}

}  // namespace

std::vector<Row> rows_of_b_rnn() {
  std::vector<Study> studies;
  std::vector<Row> rows;
  const auto softmax_of = [](const auto& q) { return softmax(q); };
  const auto sigmoid_of = [](const auto& q) { return sigmoid(q); };
  const auto multiclass = [](const auto& y, const auto& yhat) { return cross_entropy(y, yhat); };
  rows.push_back(
      judge('B', "output", {"dE/dq, g2 softmax", "dE/dq = yhat - y, E = -y log yhat", ""},
            [&](int steps) -> Samples { return {output_error(steps, softmax_of, multiclass)}; }));
  rows.push_back(
      judge('B', "output",
            {"dE/dq, g2 sigmoid",
             "dE/dq = yhat - y, E = -y log yhat",
             "y (yhat - 1); yhat - y needs E = -y log yhat - (1-y) log(1-yhat)",
             {ExactUpTo::none},
             0.1},
            [&](int steps) -> Samples { return {output_error(steps, sigmoid_of, multiclass)}; }));

  const std::vector<KeyedClaim> claims = {
      {"V", {"dV", "sum_t (yhat(t)-y(t)) a(t)^T", ""}},
      {"W", {"dW", "sum_t sum_{k<=t} g1'(k) * [da(t)/da(k) V^T (yhat(t)-y(t))] a(k-1)^T", ""}},
      {"U", {"dU", "sum_t sum_{k<=t} g1'(k) * [da(t)/da(k) V^T (yhat(t)-y(t))] x(k)^T", ""}},
  };
  for (const Slope& unit : {tanh_unit, relu_unit}) {
    const std::string subject = unit.g1 == G1::tanh ? "RNN, g1 tanh" : "RNN, g1 relu";
    for (Row& row : judge_all(
             'B', subject, studies_of([&](int steps) { return make_study(steps, unit); }),
             [&](const Study& s) { return printed(s, unit); }, claims)) {
      rows.push_back(std::move(row));
    }
  }

  const auto over_units = [](auto sample_of) {
    return [sample_of](int steps) -> Samples {
      Samples samples;
      for (const Slope& unit : {tanh_unit, relu_unit, sigmoid_unit}) {
        samples.push_back(sample_of(steps, unit));
      }
      return samples;
    };
  };
  rows.push_back(judge(
      'B', "RNN",
      {"da(t)/da(k) as a gradient's factor",
       "product over i=k+1..t of W^T diag(g1'(i)), times the error at t", ""},
      over_units([](int steps, const Slope& unit) { return jacobians(steps, unit, chain); })));
  rows.push_back(judge('B', "RNN",
                       {"da(t)/da(k) as a Jacobian",
                        "product over i=t..k+1 of W^T diag(g1'(i))",
                        "product over i=t..k+1 of diag(g1'(i)) W",
                        {ExactUpTo::none},
                        0.1},
                       over_units([](int steps, const Slope& unit) {
                         Sample s = jacobians(steps, unit, chain_descending);
                         // Both as Jacobians: the true ones are there transposed.
                         Real jacobian = s.truth;
                         for (Index k = 0; k < steps; ++k) {
                           for (Index i = 0; i < hidden; ++i) {
                             for (Index j = 0; j < hidden; ++j) {
                               jacobian(k * hidden + i, j) = s.truth(k * hidden + j, i);
                             }
                           }
                         }
                         s.truth = jacobian;
                         return s;
                       })));
  rows.push_back(judge('B', "RNN",
                       {"|da(t)/da(k)|",
                        "at most (gamma_W gamma)^(t-k), gamma_W the largest singular value of W, "
                        "gamma 1 (tanh, relu), 1/4 (sigmoid)",
                        ""},
                       over_units(bound_excess)));
  return rows;
}

}  // namespace bptt::verify::textbook
