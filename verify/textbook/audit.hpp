// The audit: every gradient formula of five documents that teach backpropagation through time,
// computed as it is printed there and held against the true gradient. docs/textbook.md is its
// result with explanations.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verify/textbook/named.hpp"

namespace bptt::verify::textbook {

/// Numbers of time steps (of layers, for feed-forward networks) that each formula is tried with.
inline constexpr int lengths[] = {1, 2, 3, 5, 10};

/// Relative errors up to this are rounding.
inline constexpr double rounding = 1e-12;

/// For how many time steps a formula gives the true gradient: for all, for T up to n, or for none.
struct ExactUpTo {
  static constexpr int all = 1 << 20, none = 0;
  int steps = all;
  bool operator==(const ExactUpTo&) const = default;
};
/// "holds", "holds for T <= 2", "wrong"
std::string to_string(ExactUpTo);

/// What the audit says of one formula before anything is computed.
struct Claim {
  std::string quantity;  ///< "dW_f"
  std::string printed;   ///< the formula as the document has it
  std::string right;     ///< the right one; empty where the printed one is right
  ExactUpTo expected{};
  /// The relative error exceeds this wherever the formula is not exact.
  double wrong_by = 0.005;
};

/// The formula's value and the true one at some T; and, where there is a second way to the true
/// one, that. Compared by Frobenius norm.
struct Sample {
  Real printed, truth;
  Real cross_check{};
};

/// A claim with what was computed.
struct Row {
  char document = '?';
  std::string subject;  ///< "LSTM, read literally"
  Claim claim;
  /// For each of `lengths`; nothing where both sides are exactly zero.
  std::vector<std::optional<double>> errors;
  /// The largest relative difference between two ways to the true gradient; nothing where there is
  /// only one.
  std::optional<double> oracle_gap;

  /// "B LSTM, read literally: dW_f"
  std::string name() const;
  /// From the errors. Nothing where they are not exact up to some T and wrong from there on.
  std::optional<ExactUpTo> verdict() const;
};

/// |a-b| / |b|. 1 where only b is zero, nothing where both are.
std::optional<double> relative_error(const Real& a, const Real& b);

/// Several samples at one T (several activations): the row has the largest error.
using Samples = std::vector<Sample>;
Row judge(char document, const std::string& subject, const Claim&,
          const std::function<Samples(int steps)>&);

/// A document's networks as the audit needs them: what is given and what forward leaves, both
/// under the document's names, and the true gradient with respect to all that is given.
struct Study {
  int steps = 0;
  Named<double> given, forward;
  Named<double> truth;       ///< complex step through the document's own forward formulas
  Named<double> from_naive;  ///< backend naive's backward pass, where it has the quantity
};

/// Rows for claims whose quantity is that of a gradient: `key` is its name in `printed(study)`, a
/// Named<double>, and in the study.
struct KeyedClaim {
  std::string key;
  Claim claim;
};
using Printed = std::function<Named<double>(const Study&)>;
std::vector<Row> judge_all(char document, const std::string& subject,
                           const std::vector<Study>& studies, const Printed&,
                           const std::vector<KeyedClaim>&);

/// One study for each of `lengths`.
template <class Make>
std::vector<Study> studies_of(Make make) {
  std::vector<Study> studies;
  for (const int steps : lengths) studies.push_back(make(steps));
  return studies;
}

struct Document {
  char letter;
  const char* title;
};
const std::vector<Document>& documents();

/// Every row, document by document. Takes well under a second.
std::vector<Row> audit();

std::vector<Row> rows_of_a();
std::vector<Row> rows_of_b_rnn();
std::vector<Row> rows_of_b_lstm();
std::vector<Row> rows_of_b_gru();
std::vector<Row> rows_of_c_feed_forward();
std::vector<Row> rows_of_c_recurrent();
std::vector<Row> rows_of_d();
std::vector<Row> rows_of_e();

}  // namespace bptt::verify::textbook
