// D: "Formula sheet". It has forward formulas only: they are evaluated as printed, and their
// complex-step gradient is held against what the suite computes for the cell that they are.
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

/// yhat(t) = sigmoid(V a(t) + b_y), binary cross-entropy.
template <class T>
T sigmoid_output(const Named<T>& given, int t, const Matrix<T>& a, Named<T>& forward) {
  const Matrix<T> yhat = sigmoid(mul(given["V"], a) + given["b_y"]);
  forward[at("yhat", t)] = yhat;
  return binary_cross_entropy(given[at("y", t)], yhat);
}

/// W_a [a(t-1); x(t)], the weights W_aa and W_ax side by side.
template <class T>
Matrix<T> stacked_product(const Named<T>& w, const std::string& gate, const Matrix<T>& state,
                          const Matrix<T>& x) {
  return mul(beside(w["W" + gate], w["U" + gate]), stacked(state, x)) + w["b" + gate];
}

/// The sheet's cells: each one step, a and c in place.
struct RnnCell {
  static CellNames names() { return {"rnn", {""}}; }
  template <class T>
  static void step(const Named<T>& w, const Matrix<T>& x, Matrix<T>& a, Matrix<T>&) {
    a = tanh(stacked_product(w, "", a, x));
  }
};

struct GruCell {
  static CellNames names() { return {"gru", {"_r", "_u", "_c"}}; }
  template <class T>
  static void step(const Named<T>& w, const Matrix<T>& x, Matrix<T>& a, Matrix<T>&) {
    const Matrix<T> u = sigmoid(stacked_product(w, "_u", a, x));
    const Matrix<T> r = sigmoid(stacked_product(w, "_r", a, x));
    const Matrix<T> candidate = tanh(stacked_product(w, "_c", r * a, x));
    a = u * candidate + (T(1) - u) * a;
  }
};

struct LstmCell {
  static CellNames names() {
    return {"lstm:output=identity:gate_input=cell", {"_u", "_f", "_c", "_o"}};
  }
  template <class T>
  static void step(const Named<T>& w, const Matrix<T>& x, Matrix<T>& a, Matrix<T>& c) {
    const Matrix<T> candidate = tanh(stacked_product(w, "_c", a, x));
    const Matrix<T> u = sigmoid(stacked_product(w, "_u", c, x));
    const Matrix<T> f = sigmoid(stacked_product(w, "_f", c, x));
    const Matrix<T> o = sigmoid(stacked_product(w, "_o", c, x));
    c = u * candidate + f * c;
    a = o * c;
  }
};

template <class Cell>
struct Forward {
  int steps;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> a = w["a(0)"], c = w["c(0)"];
    for (int t = 1; t <= steps; ++t) {
      Cell::step(w, w[at("x", t)], a, c);
      out[at("a", t)] = a;
      loss += sigmoid_output(w, t, a, out);
    }
    return loss;
  }
};

Named<double> draw_network(int steps, const std::vector<GateDraw>& gates) {
  net::Random random(7);
  Named<double> given;
  draw_cell(random, steps, gates, {}, given);
  draw_output_layer(random, steps, given);
  for (const char* state : {"a(0)", "c(0)"}) given[state] = draw(random, hidden, 1, 0.8);
  return given;
}

Named<double> output_errors(const Named<double>& given, const Named<double>& forward, int steps) {
  Named<double> upstream;
  for (int t = 1; t <= steps; ++t) {
    upstream[at("a", t)] = mul(transposed(given["V"]), forward[at("yhat", t)] - given[at("y", t)]);
  }
  return upstream;
}

Real every_step(const Named<double>& values, const std::string& name, int steps) {
  Real all;
  for (int t = 1; t <= steps; ++t) all = stacked(all, values[at(name, t)]);
  return all;
}

template <class Cell>
Study study_of_cell(int steps) {
  std::vector<GateDraw> gates;
  for (const std::string& suffix : Cell::names().gates) {
    gates.push_back({suffix, suffix == "_f" ? 1.5 : 0});
  }
  Study s = study_of(steps, draw_network(steps, gates), Forward<Cell>{steps});
  s.from_naive =
      run_naive(Cell::names(), steps, s.given, output_errors(s.given, s.forward, steps)).gradient;
  return s;
}

/// a(t) as printed beside that of a cell of the suite.
template <class Cell>
Sample states(int steps, const CellNames& suite) {
  const Study s = study_of_cell<Cell>(steps);
  return {every_step(s.forward, "a", steps),
          every_step(run_naive(suite, steps, s.given, {}).forward, "a", steps)};
}

/// The gradient with respect to all that the suite's cell has, in one column.
template <class Cell>
Sample gradients(int steps) {
  const Study s = study_of_cell<Cell>(steps);
  Sample all;
  for (const auto& [name, value] : s.from_naive) {
    all.printed = stacked(all.printed, flattened(s.truth[name]));
    all.truth = stacked(all.truth, flattened(value));
  }
  return all;
}

/// dW_a = sum_t delta(t) [a(t-1); x(t)]^T, delta(t) with the whole gradient.
Sample stacked_weights(int steps) {
  const Study s = study_of_cell<RnnCell>(steps);
  const Named<double> errors = output_errors(s.given, s.forward, steps);
  Real gradient, delta(hidden, 1);
  for (int t = steps; t >= 1; --t) {
    const Real& a = s.forward[at("a", t)];
    delta = (errors[at("a", t)] + mul(transposed(s.given["W"]), delta)) * tanh_slope(a);
    const Real& before = t == 1 ? s.given["a(0)"] : s.forward[at("a", t - 1)];
    gradient += outer(delta, stacked(before, s.given[at("x", t)]));
  }
  return {gradient, beside(s.truth["W"], s.truth["U"]),
          beside(s.from_naive["W"], s.from_naive["U"])};
}

constexpr int depth = 3;

std::string in_layer(int l) {
  return "[" + std::to_string(l) + "]";
}

/// a[l](t) = tanh(W_a[l] [a[l](t-1), a[l-1](t)] + b_a[l]), a[0] = x, yhat from the top layer.
struct DeepForward {
  int steps;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    for (int t = 1; t <= steps; ++t) {
      Matrix<T> below = w[at("x", t)];
      for (int l = 1; l <= depth; ++l) {
        const std::string layer = in_layer(l);
        const Matrix<T> before = t == 1 ? Matrix<T>(hidden, 1) : out[at("a" + layer, t - 1)];
        below = tanh(stacked_product(w, layer, before, below));
        out[at("a" + layer, t)] = below;
      }
      loss += sigmoid_output(w, t, below, out);
    }
    return loss;
  }
};

/// The same by `depth` plans of naive, one on another.
Sample deep_gradients(int steps) {
  net::Random random(8);
  Named<double> given;
  for (int l = 1; l <= depth; ++l) draw_cell(random, steps, {{in_layer(l)}}, {}, given);
  for (int l = 2; l <= depth; ++l) given["U" + in_layer(l)] = draw(random, hidden, hidden, 1);
  draw_output_layer(random, steps, given);
  const Study s = study_of(steps, std::move(given), DeepForward{steps});
  Named<double> upstream = output_errors(s.given, s.forward, steps);
  Sample all;
  for (int l = depth; l >= 1; --l) {
    Named<double> layer = s.given;
    for (int t = 1; t <= steps && l > 1; ++t) {
      layer[at("x", t)] = s.forward[at("a" + in_layer(l - 1), t)];
    }
    layer["a(0)"] = Real(hidden, 1);
    const Named<double> from_naive =
        run_naive({"rnn", {in_layer(l)}}, steps, layer, upstream).gradient;
    for (const char* parameter : {"W", "U", "b"}) {
      const std::string name = parameter + in_layer(l);
      all.printed = stacked(all.printed, flattened(s.truth[name]));
      all.truth = stacked(all.truth, flattened(from_naive[name]));
    }
    for (int t = 1; t <= steps; ++t) upstream[at("a", t)] = from_naive[at("x", t)];
  }
  return all;
}

/// d/dq of the binary cross-entropy, beside yhat - y.
template <class Squash>
Sample output_error(int steps, Squash squash) {
  net::Random random(static_cast<std::uint64_t>(20 + steps));
  Named<double> given;
  given["q"] = draw(random, outputs, 1, 2);
  given["y"] = one_hot(random, outputs);
  const Named<double> truth = complex_step(
      given, [&](const Named<Complex>& z) { return binary_cross_entropy(z["y"], squash(z["q"])); });
  return {squash(given["q"]) - given["y"], truth["q"]};
}

}  // namespace

std::vector<Row> rows_of_d() {
  std::vector<Row> rows;
  const auto add = [&](const std::string& subject, const Claim& claim, auto sample_of) {
    rows.push_back(
        judge('D', subject, claim, [&](int steps) -> Samples { return {sample_of(steps)}; }));
  };
  const std::string loss = "E = -y log yhat - (1-y) log(1-yhat)";
  add("output", {"dE/dq, sigmoid", "yhat - y, of " + loss, ""},
      [](int steps) { return output_error(steps, [](const auto& q) { return sigmoid(q); }); });
  add("output",
      {"dE/dq, softmax",
       "yhat - y, of " + loss,
       "yhat * (e - sum(e * yhat)), e = (yhat-y) / (yhat (1-yhat)); yhat - y needs E = -y log yhat",
       {ExactUpTo::none},
       0.1},
      [](int steps) { return output_error(steps, [](const auto& q) { return softmax(q); }); });
  add("RNN", {"dW_a, W_a = [W_aa : W_ax]", "sum_t delta(t) [a(t-1); x(t)]^T", ""}, stacked_weights);

  const std::string same = ", is the suite's ";
  const std::string gru =
      "u, r = s(W [c(t-1), x]), c~ = tanh(W_c [r c(t-1), x]), "
      "a = c = u c~ + (1-u) c(t-1)";
  add("GRU", {"a(t)", gru + same + "gru", ""},
      [](int steps) { return states<GruCell>(steps, GruCell::names()); });
  add("GRU", {"gradient", "of the same", ""}, gradients<GruCell>);

  const std::string lstm =
      "u, f, o = s(W [c(t-1), x]), c~ = tanh(W_c [a(t-1), x]), "
      "c = u c~ + f c(t-1), a = o c";
  add("LSTM", {"a(t)", lstm + same + LstmCell::names().cell, ""},
      [](int steps) { return states<LstmCell>(steps, LstmCell::names()); });
  add("LSTM", {"gradient", "of the same", ""}, gradients<LstmCell>);
  add("LSTM",
      {"a(t), taken for the usual LSTM",
       lstm,
       "the usual gates read a(t-1), and a = o tanh(c)",
       {ExactUpTo::none}},
      [](int steps) {
        CellNames usual = LstmCell::names();
        usual.cell = "lstm";
        return states<LstmCell>(steps, usual);
      });
  add("deep RNN",
      {"gradient",
       "of a[l](t) = g(W_a[l] [a[l](t-1), a[l-1](t)] + b_a[l]), is that of stacked layers", ""},
      deep_gradients);
  return rows;
}

}  // namespace bptt::verify::textbook
