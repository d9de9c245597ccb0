// B: "Recurrent Neural Networks", its LSTM. The final formulas let a state receive the errors of
// its own step and of the next one, and no others.
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

struct Forward {
  int steps;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> a = w["a(0)"], c = w["c(0)"];
    for (int t = 1; t <= steps; ++t) {
      const auto gate = [&](const std::string& g) {
        return mul(w["W_" + g], a) + mul(w["U_" + g], w[at("x", t)]) + w["b_" + g];
      };
      const Matrix<T> f = sigmoid(gate("f")), i = sigmoid(gate("i")), g = tanh(gate("c")),
                      o = sigmoid(gate("o"));
      c = f * c + i * g + w[at("c", t)];
      a = o * tanh(c) + w[at("a", t)];
      out[at("f", t)] = f, out[at("i", t)] = i, out[at("g", t)] = g, out[at("o", t)] = o;
      out[at("c", t)] = c, out[at("a", t)] = a;
      loss += softmax_output(w, t, a, out);
    }
    return loss;
  }
};

/// V^T (yhat(t) - y(t))
Real own_error(const Study& s, int t) {
  return mul(transposed(s.given["V"]), s.forward[at("yhat", t)] - s.given[at("y", t)]);
}

Study make_study(int steps) {
  net::Random random(3);
  Named<double> given;
  draw_cell(random, steps, {{"_f", 1.5}, {"_i"}, {"_c"}, {"_o"}}, {"a", "c"}, given);
  draw_output_layer(random, steps, given);
  for (const char* state : {"a(0)", "c(0)"}) given[state] = draw(random, hidden, 1, 0.5);
  Study s = study_of(steps, std::move(given), Forward{steps});
  for (const char* state : {"a(0)", "c(0)"}) s.forward[state] = s.given[state];
  Named<double> upstream;
  for (int t = 1; t <= steps; ++t) upstream[at("a", t)] = own_error(s, t);
  s.from_naive = run_naive({"lstm", {"_i", "_f", "_c", "_o"}}, steps, s.given, upstream).gradient;
  // The last two steps, for which the printed formulas are exact at every T.
  for (const std::string state : {"a", "c"}) {
    const Real last = s.truth[at(state, steps)];
    s.truth["last two " + state] = steps == 1 ? last : stacked(s.truth[at(state, steps - 1)], last);
  }
  return s;
}

/// da(t)/dc(t)
Real state_to_output(const Study& s, int t) {
  return s.forward[at("o", t)] * tanh_slope(tanh(s.forward[at("c", t)]));
}

/// The gradient at a gate's preactivation, of what has arrived at a(t) and c(t).
Real delta(const Study& s, const std::string& gate, int t, const Real& dE_da, const Real& dE_dc) {
  const Named<double>& v = s.forward;
  if (gate == "f") return dE_dc * v[at("c", t - 1)] * sigmoid_slope(v[at("f", t)]);
  if (gate == "i") return dE_dc * v[at("g", t)] * sigmoid_slope(v[at("i", t)]);
  if (gate == "c") return dE_dc * v[at("i", t)] * tanh_slope(v[at("g", t)]);
  return dE_da * tanh(v[at("c", t)]) * sigmoid_slope(v[at("o", t)]);
}

/// Only E(t) and E(t+1) reach a(t) and c(t).
Named<double> printed(const Study& s) {
  Named<double> g;
  for (int t = 1; t <= s.steps; ++t) {
    Real dE_da = own_error(s, t), from_next_c(hidden, 1);
    if (t < s.steps) {
      const Real next_a = own_error(s, t + 1), next_c = next_a * state_to_output(s, t + 1);
      for (const std::string gate : {"f", "i", "c", "o"}) {
        dE_da += mul(transposed(s.given["W_" + gate]), delta(s, gate, t + 1, next_a, next_c));
      }
      from_next_c = next_c * s.forward[at("f", t + 1)];
    }
    const Real dE_dc = dE_da * state_to_output(s, t) + from_next_c;
    g["dE/da"] = stacked(g["dE/da"], dE_da);
    g["dE/dc"] = stacked(g["dE/dc"], dE_dc);
    if (t >= s.steps - 1) {
      g["last two a"] = stacked(g["last two a"], dE_da);
      g["last two c"] = stacked(g["last two c"], dE_dc);
    }
    for (const std::string gate : {"f", "i", "c", "o"}) {
      const Real d = delta(s, gate, t, dE_da, dE_dc);
      g["W_" + gate] += outer(d, s.forward[at("a", t - 1)]);
      g["U_" + gate] += outer(d, s.given[at("x", t)]);
    }
    g["V"] += outer(s.forward[at("yhat", t)] - s.given[at("y", t)], s.forward[at("a", t)]);
  }
  return g;
}

/// d(to)/d(from) at the same step t, of every t under one another.
Sample same_step(int steps, const std::string& from, const std::string& to,
                 Real (*claimed)(const Study&, int)) {
  const Study s = make_study(steps);
  Sample all;
  for (int t = 1; t <= steps; ++t) {
    all.printed = stacked(all.printed, claimed(s, t));
    all.truth = stacked(all.truth,
                        complex_step_jacobian(s.given, at(from, t), [&](const Named<Complex>& z) {
                          Named<Complex> left;
                          Forward{steps}(z, left);
                          return left[at(to, t)];
                        }));
  }
  return all;
}

Real da_dc(const Study& s, int t) {
  return diag(state_to_output(s, t));
}
Real zero(const Study&, int) {
  return Real(hidden, hidden);
}

}  // namespace

std::vector<Row> rows_of_b_lstm() {
  std::vector<Study> studies = studies_of(make_study);
  for (Study& s : studies) {
    for (int t = 1; t <= s.steps; ++t) {
      s.truth["dE/da"] = stacked(s.truth["dE/da"], s.truth[at("a", t)]);
      s.truth["dE/dc"] = stacked(s.truth["dE/dc"], s.truth[at("c", t)]);
    }
  }
  const std::string subject = "LSTM";
  std::vector<Row> rows;
  rows.push_back(judge('B', subject, {"da(t)/dc(t)", "o(t) (1 - tanh^2 c(t))", ""},
                       [](int steps) -> Samples { return {same_step(steps, "c", "a", da_dc)}; }));
  rows.push_back(judge('B', subject,
                       {"dc(t)/da(t), a's part in the graph",
                        "dc(t)/da(t) = 0 at the same step: c(t) is computed before a(t)", ""},
                       [](int steps) -> Samples { return {same_step(steps, "a", "c", zero)}; }));
  rows.push_back(judge('B', subject,
                       {"dc(t)/da(t), as a derivative along a curve",
                        "dc(t)/da(t) = 0 beside da(t)/dc(t) != 0",
                        "1 / (o(t) (1 - tanh^2 c(t))), of which backpropagation has no use",
                        {ExactUpTo::none},
                        0.9},
                       [](int steps) -> Samples {
                         // Along a curve one derivative is the inverse of the other.
                         Sample sample = same_step(steps, "c", "a", da_dc);
                         sample.printed = 0.0 * sample.printed;
                         sample.truth =
                             map(sample.truth, [](double d) { return d == 0 ? 0 : 1 / d; });
                         return {sample};
                       }));

  constexpr ExactUpTo two{2};
  std::vector<KeyedClaim> claims = {
      {"dE/da",
       {"dE/da(t)", "dE(t)/da(t) + dE(t+1)/da(t)",
        "V^T (yhat(t)-y(t)) + sum over gates of W_g^T delta_g(t+1), delta of the whole gradient",
        two}},
      {"dE/dc",
       {"dE/dc(t)", "dE(t)/dc(t) + dE(t+1)/dc(t)",
        "dE/da(t) o(t) (1 - tanh^2 c(t)) + dE/dc(t+1) f(t+1)", two}},
      {"last two a", {"dE/da(T-1), dE/da(T)", "dE(t)/da(t) + dE(t+1)/da(t)", ""}},
      {"last two c", {"dE/dc(T-1), dE/dc(T)", "dE(t)/dc(t) + dE(t+1)/dc(t)", ""}},
  };
  const struct {
    const char *gate, *factor;
  } gates[] = {{"f", "dE/dc(t) c(t-1) f (1-f)"},
               {"i", "dE/dc(t) g i (1-i)"},
               {"c", "dE/dc(t) i (1-g^2)"},
               {"o", "dE/da(t) tanh(c) o (1-o)"}};
  for (const auto& [gate, factor] : gates) {
    const std::string d = std::string("sum_t [") + factor + "] ";
    const std::string right = "the same with the whole gradient in dE/da(t), dE/dc(t)";
    claims.push_back(
        {std::string("W_") + gate, {std::string("dW_") + gate, d + "a(t-1)^T", right, two}});
    claims.push_back(
        {std::string("U_") + gate, {std::string("dU_") + gate, d + "x(t)^T", right, two}});
  }
  claims.push_back({"V", {"dV", "sum_t (yhat(t)-y(t)) a(t)^T", ""}});
  for (Row& row : judge_all('B', subject, studies, printed, claims)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace bptt::verify::textbook
