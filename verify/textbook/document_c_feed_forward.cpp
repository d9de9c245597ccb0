// C: "Backpropagation through Time: a mathematical overview", feed-forward networks. Instead of
// time steps there are layers.
#include "impls/net/mlp.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

enum class Unit { sigmoid, tanh, relu, leaky_relu };
constexpr Unit units[] = {Unit::sigmoid, Unit::tanh, Unit::relu, Unit::leaky_relu};
constexpr double leak = 0.01;

template <class T>
Matrix<T> f(Unit unit, const Matrix<T>& z) {
  if (unit == Unit::sigmoid) return sigmoid(z);
  if (unit == Unit::tanh) return tanh(z);
  const double below = unit == Unit::relu ? 0 : leak;
  return map(z, [below](const T& p) { return std::real(p) > 0 ? p : below * p; });
}

/// f'(z)
Real slope(Unit unit, const Real& z) {
  if (unit == Unit::sigmoid) return sigmoid_slope(sigmoid(z));
  if (unit == Unit::tanh) return tanh_slope(tanh(z));
  const double below = unit == Unit::relu ? 0 : leak;
  return map(z, [below](double p) { return p > 0 ? 1 : below; });
}

enum class Cost { half_squared, cross_entropy };

template <class T>
T cost(Cost c, const Matrix<T>& target, const Matrix<T>& y) {
  return c == Cost::half_squared ? half_squared_error(target, y) : binary_cross_entropy(target, y);
}

/// z^l = w^l a^(l-1) + b^l, a^l = f(z^l), a^0 = x
struct Forward {
  int layers;
  Unit unit;
  Cost cost_function;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    Matrix<T> a = w["x"];
    out["a(0)"] = a;
    for (int l = 1; l <= layers; ++l) {
      const Matrix<T> z = mul(w[at("w", l)], a) + w[at("b", l)] + w[at("z", l)];
      a = f(unit, z);
      out[at("z", l)] = z, out[at("a", l)] = a;
    }
    return cost(cost_function, w["t"], a);
  }
};

constexpr Index width = 5;

Study make_study(int layers, Unit unit, Cost cost_function) {
  net::Random random(5);
  Named<double> given;
  // Biases that keep relu units alive through ten layers.
  const double bias = unit == Unit::relu || unit == Unit::leaky_relu ? 0.4 : 0;
  Index below = inputs;
  given["x"] = draw(random, inputs, 1, 1);
  for (int l = 1; l <= layers; ++l) {
    const Index above = l == layers ? outputs : width;
    given[at("w", l)] = draw(random, above, below, 1);
    given[at("b", l)] = draw(random, above, 1, 0.2, bias);
    given[at("z", l)] = Real(above, 1);
    below = above;
  }
  given["t"] = draw(random, outputs, 1, 0.4, 0.5);
  return study_of(layers, std::move(given), Forward{layers, unit, cost_function});
}

/// grad_y C, of 1/2 (y-t)^2, and of the cross-entropy with the sign that the document gives it:
/// C = t log y + (1-t) log(1-y).
Real cost_gradient(Cost c, const Real& target, const Real& y) {
  if (c == Cost::half_squared) return y - target;
  return target / y - (1.0 - target) / (1.0 - y);
}

/// delta^l, dC/dw^l and dC/db^l of every layer, the last one first.
Named<double> printed(const Study& s, Unit unit, Cost c) {
  Named<double> g;
  const int L = s.steps;
  Real delta =
      cost_gradient(c, s.given["t"], s.forward[at("a", L)]) * slope(unit, s.forward[at("z", L)]);
  for (int l = L; l >= 1; --l) {
    if (l < L) {
      delta = mul(transposed(s.given[at("w", l + 1)]), delta) * slope(unit, s.forward[at("z", l)]);
    }
    g["delta"] = stacked(g["delta"], delta);
    g["w"] = stacked(g["w"], flattened(outer(delta, s.forward[at("a", l - 1)])));
    g["b"] = stacked(g["b"], delta);
  }
  return g;
}

Named<double> truth(const Study& s) {
  Named<double> g;
  for (int l = s.steps; l >= 1; --l) {
    g["delta"] = stacked(g["delta"], s.truth[at("z", l)]);
    g["w"] = stacked(g["w"], flattened(s.truth[at("w", l)]));
    g["b"] = stacked(g["b"], s.truth[at("b", l)]);
  }
  return g;
}

net::LayerActivation activation_of(Unit unit) {
  if (unit == Unit::sigmoid) return net::LayerActivation::sigmoid;
  if (unit == Unit::tanh) return net::LayerActivation::tanh;
  return unit == Unit::relu ? net::LayerActivation::relu : net::LayerActivation::leaky_relu;
}

View<double> view_of(Real& matrix) {
  return {matrix.values().data(), {matrix.rows(), matrix.columns()}};
}
View<double> column_of(Real& matrix) {
  return {matrix.values().data(), {matrix.rows()}};
}
View<double> row_of(Real& matrix) {
  return {matrix.values().data(), {1, matrix.rows()}};
}

/// dC/dw^l and dC/db^l of C = 1/2 (y-t)^2 from the suite's own network.
Named<double> from_suite(Study s, Unit unit) {
  net::MlpSpec spec{inputs, {}, true};
  Named<double> w, b;
  std::vector<net::DenseParams<const double>> params;
  std::vector<net::DenseParams<double>> grads;
  for (int l = 1; l <= s.steps; ++l) {
    Real &weight = s.given[at("w", l)], &bias = s.given[at("b", l)];
    spec.layers.push_back({weight.rows(), activation_of(unit)});
    Real &dw = w[at("", l)] = Real(weight.rows(), weight.columns()),
         &db = b[at("", l)] = Real(bias.rows(), 1);
    params.push_back(net::DenseParams<double>{view_of(weight), column_of(bias)});
    grads.push_back({view_of(dw), column_of(db)});
  }
  net::Mlp<double> network(spec, 1);
  const View<const double> x = row_of(s.given["x"]);
  const View<const double> y = network.forward(params, x);
  Real error(outputs, 1);
  for (Index i = 0; i < outputs; ++i) error(i, 0) = y[i] - s.given["t"](i, 0);
  network.backward(params, x, row_of(error), grads, {});
  Named<double> g;
  for (int l = s.steps; l >= 1; --l) {
    g["w"] = stacked(g["w"], flattened(w[at("", l)]));
    g["b"] = stacked(g["b"], b[at("", l)]);
  }
  return g;
}

Real single(double value) {
  Real result(1, 1);
  result(0, 0) = value;
  return result;
}

}  // namespace

std::vector<Row> rows_of_c_feed_forward() {
  std::vector<Row> rows;
  const std::vector<KeyedClaim> layers = {
      {"delta",
       {"delta^l", "delta^L = grad_y C * f'(z^L), delta^l = (w^(l+1))^T delta^(l+1) * f'(z^l)",
        ""}},
      {"w", {"dC/dw^l", "delta^l (a^(l-1))^T", ""}},
      {"b", {"dC/db^l", "delta^l", ""}},
  };
  for (const auto& [key, claim] : layers) {
    rows.push_back(judge('C', "feed-forward, C = 1/2 (y-t)^2", claim, [&, &name = key](int steps) {
      Samples samples;
      for (const Unit unit : units) {
        const Study s = make_study(steps, unit, Cost::half_squared);
        Named<double> suite = from_suite(s, unit);
        samples.push_back({printed(s, unit, Cost::half_squared)[name], truth(s)[name],
                           suite.has(name) ? suite[name] : Real()});
      }
      return samples;
    }));
  }
  const std::string sign = "C = t log y + (1-t) log(1-y)";
  const std::string right = "C = -t log y - (1-t) log(1-y)";
  rows.push_back(judge('C', "feed-forward, cross-entropy", {"C", sign, right, {ExactUpTo::none}, 1},
                       [](int steps) -> Samples {
                         const Study s = make_study(steps, Unit::sigmoid, Cost::cross_entropy);
                         const double C =
                             binary_cross_entropy(s.given["t"], s.forward[at("a", steps)]);
                         return {{single(-C), single(C)}};
                       }));
  rows.push_back(
      judge('C', "feed-forward, cross-entropy",
            {"delta^l",
             "grad_y C of " + sign + ", then as above",
             "grad_y C = -t/y + (1-t)/(1-y), then as above",
             {ExactUpTo::none},
             1},
            [](int steps) -> Samples {
              const Study s = make_study(steps, Unit::sigmoid, Cost::cross_entropy);
              return {{printed(s, Unit::sigmoid, Cost::cross_entropy)["delta"], truth(s)["delta"]}};
            }));
  return rows;
}

}  // namespace bptt::verify::textbook
