// A: "RNN and LSTM BackPropagation Algorithm". Its RNN cell; of the backward passes it has the
// headings only.
#include "verify/textbook/naive_gradient.hpp"
#include "verify/textbook/networks.hpp"

namespace bptt::verify::textbook {
namespace {

// a<t> = tanh(Wax x<t> + Waa a<t-1> + ba), yhat<t> = softmax(Wya a<t> + by)
struct Forward {
  int steps;

  template <class T>
  T operator()(const Named<T>& w, Named<T>& out) const {
    T loss(0);
    Matrix<T> a = w["a(0)"];
    for (int t = 1; t <= steps; ++t) {
      a = tanh(mul(w["U"], w[at("x", t)]) + mul(w["W"], a) + w["b"]);
      out[at("a", t)] = a;
      loss += softmax_output(w, t, a, out);
    }
    return loss;
  }
};

}  // namespace

std::vector<Row> rows_of_a() {
  const Claim claim{"a<t>, yhat<t>",
                    "a<t> = tanh(Wax x<t> + Waa a<t-1> + ba), yhat<t> = softmax(Wya a<t> + by)",
                    ""};
  return {judge('A', "RNN cell", claim, [](int steps) -> Samples {
    net::Random random(1);
    Named<double> given, printed;
    draw_cell(random, steps, {{""}}, {}, given);
    draw_output_layer(random, steps, given);
    given["a(0)"] = draw(random, hidden, 1, 0.5);
    Forward{steps}(given, printed);
    const NaiveRun naive = run_naive({"rnn", {""}}, steps, given, {});
    Sample all;
    for (int t = 1; t <= steps; ++t) {
      const Real& a = naive.forward[at("a", t)];
      const Real yhat = softmax(mul(given["V"], a) + given["b_y"]);
      all.printed = stacked(stacked(all.printed, printed[at("a", t)]), printed[at("yhat", t)]);
      all.truth = stacked(stacked(all.truth, a), yhat);
    }
    return {all};
  })};
}

}  // namespace bptt::verify::textbook
