// E: "Long Short-term Memory Unit". Its training part works with h = s*o, and its recursion for
// dL/ds has two readings.
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

/// The loss looks at the first hidden units only.
constexpr Index observed = 2;

template <class T>
Matrix<T> first_units(const Matrix<T>& h) {
  Matrix<T> part(observed, 1);
  for (Index j = 0; j < observed; ++j) part(j, 0) = h(j, 0);
  return part;
}

/// dl(t)/dh(t) of l(t) = 1/2 (y(t) - h(t))^2.
Real loss_gradient(const Real& y, const Real& h) {
  Real gradient(hidden, 1);
  for (Index j = 0; j < observed; ++j) gradient(j, 0) = h(j, 0) - y(j, 0);
  return gradient;
}

enum class OutputSquash { identity, tanh };

/// h = o*s, or o*tanh(s) as the unit is defined before the training part.
struct LstmForward {
  int steps;
  OutputSquash squash;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> h = w["h(0)"], s = w["s(0)"];
    for (int t = 1; t <= steps; ++t) {
      const auto gate = [&](const std::string& name) {
        return mul(w["W_" + name], h) + mul(w["U_" + name], w[at("x", t)]) + w["b_" + name];
      };
      const Matrix<T> g = tanh(gate("g")), i = sigmoid(gate("i")), f = sigmoid(gate("f")),
                      o = sigmoid(gate("o"));
      s = g * i + s * f + w[at("s", t)];
      h = o * (squash == OutputSquash::tanh ? tanh(s) : s) + w[at("h", t)];
      out[at("g", t)] = g, out[at("i", t)] = i, out[at("f", t)] = f, out[at("o", t)] = o;
      out[at("s", t)] = s, out[at("h", t)] = h;
      loss += half_squared_error(w[at("y", t)], first_units(h));
    }
    return loss;
  }
};

struct GruForward {
  int steps;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> h = w["h(0)"];
    for (int t = 1; t <= steps; ++t) {
      const auto gate = [&](const std::string& name, const Matrix<T>& state) {
        return mul(w["W_" + name], state) + mul(w["U_" + name], w[at("x", t)]);
      };
      const Matrix<T> z = sigmoid(gate("z", h)), r = sigmoid(gate("r", h));
      h = z * tanh(gate("h", r * h)) + (T(1) - z) * h;
      out[at("h", t)] = h;
      loss += half_squared_error(w[at("y", t)], first_units(h));
    }
    return loss;
  }
};

Named<double> draw_network(int steps, const std::vector<GateDraw>& gates) {
  net::Random random(20);
  Named<double> given;
  draw_cell(random, steps, gates, {"h", "s"}, given);
  for (int t = 1; t <= steps; ++t) given[at("y", t)] = draw(random, observed, 1, 1);
  for (const char* state : {"h(0)", "s(0)"}) given[state] = draw(random, hidden, 1, 0.5);
  return given;
}

/// What naive gets as dh(t), and its gradient; dW as the document has it, of [x(t), h(t-1)].
void add_naive(const CellNames& names, Study& s) {
  Named<double> upstream;
  for (int t = 1; t <= s.steps; ++t) {
    upstream[at("h", t)] = loss_gradient(s.given[at("y", t)], s.forward[at("h", t)]);
  }
  s.from_naive = run_naive(names, s.steps, s.given, upstream).gradient;
  for (const std::string& gate : names.gates) {
    for (Named<double>* gradient : {&s.truth, &s.from_naive}) {
      (*gradient)["d" + gate] = beside((*gradient)["U" + gate], (*gradient)["W" + gate]);
    }
  }
}

Study lstm_study(int steps, OutputSquash squash) {
  Study s = study_of(steps, draw_network(steps, {{"_g"}, {"_i"}, {"_f", 1.5}, {"_o"}}),
                     LstmForward{steps, squash});
  for (const char* state : {"h(0)", "s(0)"}) s.forward[state] = s.given[state];
  add_naive({squash == OutputSquash::tanh ? "lstm" : "lstm:output=identity",
             {"_i", "_f", "_g", "_o"},
             "h",
             "s"},
            s);
  for (int t = 1; t <= steps; ++t) {
    s.truth["dL/dh"] = stacked(s.truth["dL/dh"], s.truth[at("h", t)]);
    s.truth["dL/ds"] = stacked(s.truth["dL/ds"], s.truth[at("s", t)]);
  }
  for (const char* gate : {"g", "i", "f", "o"}) {
    s.truth["b"] = stacked(s.truth["b"], s.truth[std::string("b_") + gate]);
    s.from_naive["b"] = stacked(s.from_naive["b"], s.from_naive[std::string("b_") + gate]);
  }
  return s;
}

/// dL(t)/ds(t) = dL(t)/dh(t) o(t) + dL(t+1)/ds(t), the last term read as dL(t+1)/ds(t+1), or as
/// what it is: dL(t+1)/ds(t+1) f(t+1).
enum class Reading { without_f, with_f };

Named<double> printed(const Study& study, Reading reading) {
  const Named<double>& v = study.forward;
  Named<double> grad, dh_all, ds_all;
  Real dh_next(hidden, 1), ds_next(hidden, 1);
  for (int t = study.steps; t >= 1; --t) {
    const Real &g = v[at("g", t)], &i = v[at("i", t)], &f = v[at("f", t)], &o = v[at("o", t)];
    const Real dh = loss_gradient(study.given[at("y", t)], v[at("h", t)]) + dh_next;
    const Real ds = dh * o + ds_next;
    dh_all[at("", t)] = dh;
    ds_all[at("", t)] = ds;
    Named<double> delta;
    delta["g"] = ds * i * tanh_slope(g);
    delta["i"] = ds * g * sigmoid_slope(i);
    delta["f"] = ds * v[at("s", t - 1)] * sigmoid_slope(f);
    delta["o"] = dh * v[at("s", t)] * sigmoid_slope(o);
    const Real read = stacked(study.given[at("x", t)], v[at("h", t - 1)]);
    dh_next = Real(hidden, 1);
    for (const auto& [gate, d] : delta) {
      grad["d_" + gate] += outer(d, read);
      grad["b_" + gate] += d;
      dh_next += mul(transposed(study.given["W_" + gate]), d);
    }
    ds_next = reading == Reading::with_f ? ds * f : ds;
  }
  for (int t = 1; t <= study.steps; ++t) {
    grad["dL/dh"] = stacked(grad["dL/dh"], dh_all[at("", t)]);
    grad["dL/ds"] = stacked(grad["dL/ds"], ds_all[at("", t)]);
  }
  for (const char* gate : {"g", "i", "f", "o"}) {
    grad["b"] = stacked(grad["b"], grad[std::string("b_") + gate]);
  }
  return grad;
}

/// The verdicts on dL/dh, on dL/ds and what follows from it, and on dW_o; what is right for dL/ds
/// and for dW_o.
struct LstmVerdicts {
  ExactUpTo dh, ds, dWo;
  std::string right_ds, right_dWo;
};
std::vector<KeyedClaim> lstm_claims(const std::string& recursion, const LstmVerdicts& v) {
  const std::string right = v.right_ds.empty() ? "" : "the same with the right dL/ds";
  return {
      {"dL/dh", {"dL(t)/dh(t)", "dl(t)/dh(t) + dL(t+1)/dh(t)", right, v.dh}},
      {"dL/ds", {"dL(t)/ds(t)", recursion, v.right_ds, v.ds}},
      {"d_g", {"dW_g", "sum_t dL/ds i (1-g^2) [x(t), h(t-1)]^T", right, v.ds}},
      {"d_i", {"dW_i", "sum_t dL/ds g i (1-i) [x(t), h(t-1)]^T", right, v.ds}},
      {"d_f", {"dW_f", "sum_t dL/ds s(t-1) f (1-f) [x(t), h(t-1)]^T", right, v.ds}},
      {"d_o", {"dW_o", "sum_t dL/dh s o (1-o) [x(t), h(t-1)]^T", v.right_dWo, v.dWo}},
      {"b", {"db of every gate", "the same without [x(t), h(t-1)]^T", right, v.ds}},
  };
}

/// An output layer q(t) = V h(t) on the unit, with l(t) = 1/2 (y(t) - q(t))^2.
Sample output_layer(int steps) {
  net::Random random(11);
  Named<double> given;
  given["V"] = draw(random, outputs, hidden, 1);
  std::vector<Real> h, y;
  for (int t = 0; t < steps; ++t) {
    h.push_back(draw(random, hidden, 1, 1));
    y.push_back(draw(random, outputs, 1, 1));
  }
  Real accumulated;
  for (int t = 0; t < steps; ++t) accumulated += outer(mul(given["V"], h[t]) - y[t], h[t]);
  const Named<double> truth = complex_step(given, [&](const Named<Complex>& z) {
    Complex loss(0);
    for (int t = 0; t < steps; ++t) {
      Named<double> step;
      step["h"] = h[t], step["y"] = y[t];
      const Named<Complex> at_step = to_complex(step);
      loss += half_squared_error(at_step["y"], mul(z["V"], at_step["h"]));
    }
    return loss;
  });
  return {(1.0 / steps) * accumulated, truth["V"]};
}

}  // namespace

std::vector<Row> rows_of_e() {
  std::vector<Row> rows;
  const auto add = [&](const std::string& subject, const std::vector<Study>& studies,
                       const Printed& formulas, const std::vector<KeyedClaim>& claims) {
    for (Row& row : judge_all('E', subject, studies, formulas, claims)) {
      rows.push_back(std::move(row));
    }
  };
  const auto simplified =
      studies_of([](int steps) { return lstm_study(steps, OutputSquash::identity); });
  const auto as_defined =
      studies_of([](int steps) { return lstm_study(steps, OutputSquash::tanh); });
  const auto without_f = [](const Study& s) { return printed(s, Reading::without_f); };
  const auto with_f = [](const Study& s) { return printed(s, Reading::with_f); };

  constexpr ExactUpTo always{ExactUpTo::all}, one{1}, two{2}, never{ExactUpTo::none};
  add("LSTM h = s*o, dL(t+1)/ds(t) with f(t+1)", simplified, with_f,
      lstm_claims("dL/dh(t) o(t) + dL(t+1)/ds(t), which is dL(t+1)/ds(t+1) f(t+1)",
                  {always, always, always, "", ""}));
  add("LSTM h = s*o, dL(t+1)/ds(t+1) without f(t+1)", simplified, without_f,
      lstm_claims("dL/dh(t) o(t) + dL(t+1)/ds(t+1)",
                  {two, one, two, "dL/dh(t) o(t) + dL(t+1)/ds(t+1) f(t+1)",
                   "the same with the right dL/ds"}));
  add("LSTM h = o*tanh(s), trained as if h = s*o", as_defined, with_f,
      lstm_claims("dL/dh(t) o(t) + dL(t+1)/ds(t)",
                  {one, never, never, "dL/dh(t) o(t) (1 - tanh^2 s(t)) + dL(t+1)/ds(t+1) f(t+1)",
                   "sum_t dL/dh tanh(s) o (1-o) [x(t), h(t-1)]^T"}));

  const auto gru = studies_of([](int steps) {
    Study s = study_of(steps, draw_network(steps, {{"_z"}, {"_r"}, {"_h"}}), GruForward{steps});
    add_naive({"gru:bias=off", {"_r", "_z", "_h"}, "h"}, s);
    return s;
  });
  const std::string forward =
      "of h = z h~ + (1-z) h(t-1), h~ = tanh(W_h [x, r h(t-1)]), no bias: the suite's gru:bias=off";
  add("GRU without bias", gru, [](const Study& s) { return s.from_naive; },
      {{"d_z", {"dW_z", forward, ""}},
       {"d_r", {"dW_r", "of the same", ""}},
       {"d_h", {"dW_h", "of the same", ""}}});
  rows.push_back(
      judge('E', "loss", {"dl(t)/dh(t)", "h(t) - y(t) on the first units, 0 elsewhere", ""},
            [&](int steps) -> Samples {
              for (const Study& s : simplified) {
                if (s.steps != steps) continue;
                // At the last step nothing else arrives.
                return {{loss_gradient(s.given[at("y", steps)], s.forward[at("h", steps)]),
                         s.truth[at("h", steps)]}};
              }
              return {};
            }));
  rows.push_back(judge('E', "output layer",
                       {"dV", "1/T sum_t (q(t)-y(t)) h(t)^T, beside dW that are not divided by T",
                        "sum_t (q(t)-y(t)) h(t)^T, of the same loss L = sum_t l(t) as dW", one},
                       [](int steps) -> Samples { return {output_layer(steps)}; }));
  return rows;
}

}  // namespace bptt::verify::textbook
