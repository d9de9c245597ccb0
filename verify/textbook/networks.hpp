// What the documents' networks have in common: the output layer with its loss, and how parameters
// and sequences are drawn for the audit.
#pragma once

#include <string>
#include <vector>

#include "verify/textbook/audit.hpp"
#include "verify/textbook/named.hpp"

namespace bptt::verify::textbook {

/// H, I and O of every network here: distinct, and small enough to print.
inline constexpr Index hidden = 3, inputs = 2, outputs = 4;

/// E = -sum y log yhat
template <class T>
T cross_entropy(const Matrix<T>& y, const Matrix<T>& yhat) {
  return -sum(y * log(yhat));
}

/// E = -sum (y log yhat + (1-y) log(1-yhat))
template <class T>
T binary_cross_entropy(const Matrix<T>& y, const Matrix<T>& yhat) {
  return -sum(y * log(yhat) + (T(1) - y) * log(T(1) - yhat));
}

/// E = 1/2 sum (y - yhat)^2
template <class T>
T half_squared_error(const Matrix<T>& y, const Matrix<T>& yhat) {
  const Matrix<T> e = y - yhat;
  return T(0.5) * sum(e * e);
}

/// W, U and b of each gate, x(1..steps), and zeros under at(node, t) for each of `nodes`: what is
/// added to that node of the network, so that the derivative with respect to it is the whole
/// gradient that arrives there. A gate's bias is around `bias`.
struct GateDraw {
  std::string suffix;
  double bias = 0;
};
inline void draw_cell(net::Random& random, int steps, const std::vector<GateDraw>& gates,
                      const std::vector<std::string>& nodes, Named<double>& given) {
  for (const auto& [suffix, bias] : gates) {
    given["W" + suffix] = draw(random, hidden, hidden, 1.2);
    given["U" + suffix] = draw(random, hidden, inputs, 1);
    given["b" + suffix] = draw(random, hidden, 1, 0.3, bias);
  }
  for (int t = 1; t <= steps; ++t) {
    given[at("x", t)] = draw(random, inputs, 1, 1);
    for (const std::string& node : nodes) given[at(node, t)] = Real(hidden, 1);
  }
}

/// V, b_y and one-hot targets y(1..steps).
inline void draw_output_layer(net::Random& random, int steps, Named<double>& given) {
  given["V"] = draw(random, outputs, hidden, 1);
  given["b_y"] = draw(random, outputs, 1, 0.5);
  for (int t = 1; t <= steps; ++t) given[at("y", t)] = one_hot(random, outputs);
}

/// yhat(t) = softmax(V a(t) + b_y), left in `forward`; returns its cross-entropy E(t).
template <class T>
T softmax_output(const Named<T>& given, int t, const Matrix<T>& a, Named<T>& forward) {
  const Matrix<T> yhat = softmax(mul(given["V"], a) + given["b_y"]);
  forward[at("yhat", t)] = yhat;
  return cross_entropy(given[at("y", t)], yhat);
}

/// Runs a document's forward(given, left) -> loss, a template on the number type, and takes the
/// loss's derivatives.
template <class Forward>
Study study_of(int steps, Named<double> given, Forward forward) {
  Study study{steps, std::move(given), {}, {}, {}};
  forward(study.given, study.forward);
  study.truth = complex_step(study.given, [&](const Named<Complex>& z) {
    Named<Complex> left;
    return forward(z, left);
  });
  return study;
}

}  // namespace bptt::verify::textbook
