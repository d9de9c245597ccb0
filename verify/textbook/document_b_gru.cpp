// B: "Recurrent Neural Networks", its GRU. As in its LSTM, only E(t) and E(t+1) reach a(t); and the
// way back through the candidate is printed with the vector W_c r.
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

struct Forward {
  int steps;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> a = w["a(0)"];
    for (int t = 1; t <= steps; ++t) {
      const auto gate = [&](const std::string& g, const Matrix<T>& state) {
        return mul(w["W_" + g], state) + mul(w["U_" + g], w[at("x", t)]) + w["b_" + g];
      };
      const Matrix<T> z = sigmoid(gate("z", a)), r = sigmoid(gate("r", a));
      const Matrix<T> c = tanh(gate("c", r * a));
      a = (T(1) - z) * a + z * c + w[at("a", t)];
      out[at("z", t)] = z, out[at("r", t)] = r, out[at("c", t)] = c, out[at("a", t)] = a;
      loss += softmax_output(w, t, a, out);
    }
    return loss;
  }
};

Real own_error(const Study& s, int t) {
  return mul(transposed(s.given["V"]), s.forward[at("yhat", t)] - s.given[at("y", t)]);
}

Study make_study(int steps) {
  net::Random random(4);
  Named<double> given;
  draw_cell(random, steps, {{"_z", -0.7}, {"_r"}, {"_c"}}, {"a"}, given);
  draw_output_layer(random, steps, given);
  given["a(0)"] = draw(random, hidden, 1, 0.5);
  Study s = study_of(steps, std::move(given), Forward{steps});
  s.forward["a(0)"] = s.given["a(0)"];
  Named<double> upstream;
  for (int t = 1; t <= steps; ++t) upstream[at("a", t)] = own_error(s, t);
  s.from_naive = run_naive({"gru", {"_r", "_z", "_c"}}, steps, s.given, upstream).gradient;
  for (int t = 1; t <= steps; ++t)
    s.truth["dE/da"] = stacked(s.truth["dE/da"], s.truth[at("a", t)]);
  return s;
}

/// Gradients at the three preactivations of step t, of what has arrived at a(t).
struct Deltas {
  Real z, r, c;
};
Deltas deltas(const Study& s, int t, const Real& dE_da) {
  const Real &z = s.forward[at("z", t)], &r = s.forward[at("r", t)], &c = s.forward[at("c", t)];
  const Real& before = s.forward[at("a", t - 1)];
  Deltas d;
  d.z = dE_da * (c - before) * sigmoid_slope(z);
  d.c = dE_da * z * tanh_slope(c);
  d.r = mul(transposed(s.given["W_c"]), d.c) * before * sigmoid_slope(r);
  return d;
}

/// What the candidate of step t sends back to a(t-1).
using ThroughCandidate = Real (*)(const Study&, int t, const Real& delta_c);
Real with_diag_r(const Study& s, int t, const Real& delta_c) {
  return mul(mul(diag(s.forward[at("r", t)]), transposed(s.given["W_c"])), delta_c);
}
Real with_vector_w_r(const Study& s, int t, const Real& delta_c) {
  return mul(s.given["W_c"], s.forward[at("r", t)]) * delta_c;
}

Named<double> printed(const Study& s, ThroughCandidate through_candidate) {
  Named<double> g;
  for (int t = 1; t <= s.steps; ++t) {
    Real dE_da = own_error(s, t);
    if (t < s.steps) {
      const Real next = own_error(s, t + 1);
      const Deltas d = deltas(s, t + 1, next);
      dE_da += next * (1.0 - s.forward[at("z", t + 1)]);
      dE_da += mul(transposed(s.given["W_z"]), d.z) + mul(transposed(s.given["W_r"]), d.r);
      dE_da += through_candidate(s, t + 1, d.c);
    }
    g["dE/da"] = stacked(g["dE/da"], dE_da);
    const Deltas d = deltas(s, t, dE_da);
    const Real &before = s.forward[at("a", t - 1)], &x = s.given[at("x", t)];
    g["W_z"] += outer(d.z, before);
    g["W_r"] += outer(d.r, before);
    g["W_c"] += outer(d.c, s.forward[at("r", t)] * before);
    g["U_z"] += outer(d.z, x);
    g["U_r"] += outer(d.r, x);
    g["U_c"] += outer(d.c, x);
    g["V"] += outer(s.forward[at("yhat", t)] - s.given[at("y", t)], s.forward[at("a", t)]);
  }
  return g;
}

std::vector<KeyedClaim> claims_of(const std::string& back_through_candidate, ExactUpTo expected) {
  const std::string right = "the same with the whole gradient in dE/da(t)";
  std::vector<KeyedClaim> claims = {
      {"dE/da",
       {"dE/da(t)",
        "dE(t)/da(t) + dE(t+1)/da(t), the way through c(t+1) by " + back_through_candidate,
        "V^T (yhat(t)-y(t)) + dE/da(t+1) (1-z(t+1)) + W_z^T delta_z(t+1) + W_r^T delta_r(t+1) + "
        "diag(r(t+1)) W_c^T delta_c(t+1)",
        expected}}};
  const struct {
    const char *gate, *factor, *reads;
  } gates[] = {{"z", "dE/da(t) (c(t)-a(t-1)) z (1-z)", "a(t-1)"},
               {"r", "(W_c^T delta_c(t)) a(t-1) r (1-r)", "a(t-1)"},
               {"c", "dE/da(t) z (1-c^2)", "(r a(t-1))"}};
  for (const auto& [gate, factor, reads] : gates) {
    const std::string d = std::string("sum_t [") + factor + "] ";
    claims.push_back(
        {std::string("W_") + gate, {std::string("dW_") + gate, d + reads + "^T", right, expected}});
    claims.push_back(
        {std::string("U_") + gate, {std::string("dU_") + gate, d + "x(t)^T", right, expected}});
  }
  return claims;
}

}  // namespace

std::vector<Row> rows_of_b_gru() {
  const std::vector<Study> studies = studies_of(make_study);
  std::vector<Row> rows = judge_all(
      'B', "GRU as printed, with W_c r", studies,
      [](const Study& s) { return printed(s, with_vector_w_r); },
      claims_of("the vector W_c r(t+1)", ExactUpTo{1}));
  for (Row& row : judge_all(
           'B', "GRU with diag(r) W_c^T", studies,
           [](const Study& s) { return printed(s, with_diag_r); },
           claims_of("diag(r(t+1)) W_c^T", ExactUpTo{2}))) {
    rows.push_back(std::move(row));
  }
  for (Row& row :
       judge_all('B', "GRU", studies, [](const Study& s) { return printed(s, with_diag_r); },
                 {{"V", {"dV", "sum_t (yhat(t)-y(t)) a(t)^T", ""}}})) {
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace bptt::verify::textbook
