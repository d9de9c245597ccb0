// C: "Backpropagation through Time: a mathematical overview", its three recurrent networks: one
// input and one output (SISO), one input and many outputs (SIMO), many of both (MIMO). No biases.
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

struct Kind {
  const char* name;
  bool many_inputs, many_outputs;
};
constexpr Kind siso{"SISO", false, false}, simo{"SIMO", false, true}, mimo{"MIMO", true, true};

/// z(t) = U x(t) + W a(t-1), a(t) = f(z(t)), z_o(t) = V a(t), y(t) = f(z_o(t)), with the inputs and
/// outputs that there are, f sigmoid; C the sum of 1/2 (y-target)^2.
struct Forward {
  int steps;
  Kind kind;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> a;
    for (int t = 1; t <= steps; ++t) {
      Matrix<T> z = w[at("z", t)];
      if (t == 1 || kind.many_inputs) z += mul(w["U"], w[at("x", t)]);
      if (t > 1) z += mul(w["W"], a);
      a = sigmoid(z);
      out[at("a", t)] = a;
      if (t < steps && !kind.many_outputs) continue;
      const Matrix<T> y = sigmoid(mul(w["V"], a));
      out[at("y", t)] = y;
      loss += half_squared_error(w[at("target", t)], y);
    }
    return loss;
  }
};

/// delta_o(t) = grad C * f'(z_o(t)); none where there is no output.
Real output_delta(const Study& s, int t) {
  if (!s.forward.has(at("y", t))) return Real(outputs, 1);
  const Real& y = s.forward[at("y", t)];
  return (y - s.given[at("target", t)]) * sigmoid_slope(y);
}

Study make_study(int steps, const Kind& kind) {
  net::Random random(6);
  Named<double> given;
  given["W"] = draw(random, hidden, hidden, 2.5);
  given["U"] = draw(random, hidden, inputs, 1.5);
  given["V"] = draw(random, outputs, hidden, 1.5);
  for (int t = 1; t <= steps; ++t) {
    given[at("z", t)] = Real(hidden, 1);
    if (t == 1 || kind.many_inputs) given[at("x", t)] = draw(random, inputs, 1, 1);
    if (t == steps || kind.many_outputs)
      given[at("target", t)] = draw(random, outputs, 1, 0.5, 0.5);
  }
  Study s = study_of(steps, std::move(given), Forward{steps, kind});
  Named<double> upstream;
  for (int t = 1; t <= steps; ++t) {
    upstream[at("a", t)] = mul(transposed(s.given["V"]), output_delta(s, t));
    s.truth["delta"] = stacked(s.truth["delta"], s.truth[at("z", t)]);
  }
  s.from_naive = run_naive({"rnn:sigmoid:bias=off", {""}}, steps, s.given, upstream).gradient;
  return s;
}

/// The sums as each network's section has them.
Named<double> printed(const Study& s, const Kind& kind) {
  Named<double> g;
  Named<double> delta;
  for (int t = s.steps; t >= 1; --t) {
    Real arrived = mul(transposed(s.given["V"]), output_delta(s, t));
    if (t < s.steps) {
      const Real through_time = mul(transposed(s.given["W"]), delta[at("delta", t + 1)]);
      if (kind.many_outputs) {
        arrived += through_time;
      } else {
        arrived = through_time;
      }
    }
    delta[at("delta", t)] = arrived * sigmoid_slope(s.forward[at("a", t)]);
  }
  g["W"] = Real(hidden, hidden);
  g["U"] = Real(hidden, inputs);
  g["V"] = Real(outputs, hidden);
  for (int t = 1; t <= s.steps; ++t) {
    g["delta"] = stacked(g["delta"], delta[at("delta", t)]);
    if (t == s.steps || kind.many_outputs)
      g["V"] += outer(output_delta(s, t), s.forward[at("a", t)]);
    if (t == 1 || kind.many_inputs) g["U"] += outer(delta[at("delta", t)], s.given[at("x", t)]);
    if (t > 1) g["W"] += outer(delta[at("delta", t)], s.forward[at("a", t - 1)]);
  }
  return g;
}

}  // namespace

std::vector<Row> rows_of_c_recurrent() {
  const Claim dW{"dW", "sum over t = 2..T of delta(t) a(t-1)^T", ""};
  const Claim dU{"dU", "delta(1) x^T", ""};
  const Claim dV{"dV", "sum_t delta_o(t) a(t)^T", ""};
  const Claim delta{"delta(t)", "(V^T delta_o(t) + W^T delta(t+1)) * f'", ""};
  const struct {
    Kind kind;
    std::vector<KeyedClaim> claims;
  } networks[] = {
      {siso,
       {{"delta",
         {"delta(t)",
          "delta_o(T) = grad C * f'(z_o), delta(T) = V^T delta_o(T) * f', "
          "delta(t) = W^T delta(t+1) * f'",
          ""}},
        {"V", {"dV", "delta_o(T) a(T)^T", ""}},
        {"U", dU},
        {"W", dW}}},
      {simo, {{"delta", delta}, {"V", dV}, {"U", dU}, {"W", dW}}},
      {mimo, {{"delta", delta}, {"V", dV}, {"U", {"dU", "sum_t delta(t) x(t)^T", ""}}, {"W", dW}}},
  };
  std::vector<Row> rows;
  for (const auto& [kind, claims] : networks) {
    for (Row& row : judge_all(
             'C', kind.name, studies_of([&, &k = kind](int steps) { return make_study(steps, k); }),
             [&, &k = kind](const Study& s) { return printed(s, k); }, claims)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace bptt::verify::textbook
