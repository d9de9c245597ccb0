#include "verify/textbook/audit.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bptt::verify::textbook {

std::string to_string(ExactUpTo exact) {
  if (exact.steps == ExactUpTo::all) return "holds";
  if (exact.steps == ExactUpTo::none) return "wrong";
  return "holds for T <= " + std::to_string(exact.steps);
}

std::string Row::name() const {
  return std::string(1, document) + " " + subject + ": " + claim.quantity;
}

std::optional<ExactUpTo> Row::verdict() const {
  ExactUpTo exact;
  bool wrong = false;
  int last_exact = ExactUpTo::none;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const bool is_exact = !errors[i] || *errors[i] <= rounding;
    if (is_exact && wrong) return std::nullopt;
    wrong = !is_exact;
    if (is_exact) last_exact = lengths[i];
  }
  if (wrong) exact.steps = last_exact;
  return exact;
}

std::optional<double> relative_error(const Real& a, const Real& b) {
  const double size = norm(b), difference = norm(a - b);
  if (size == 0 && difference == 0) return std::nullopt;
  return size == 0 ? 1 : difference / size;
}

Row judge(char document, const std::string& subject, const Claim& claim,
          const std::function<Samples(int)>& samples_of) {
  Row row{document, subject, claim, {}, std::nullopt};
  for (const int steps : lengths) {
    std::optional<double> worst;
    for (const Sample& sample : samples_of(steps)) {
      const auto take = [](std::optional<double>& most, std::optional<double> error) {
        // NaN is the worst of all errors, and stays it.
        if (error && (!most || std::isnan(*error) || *error > *most)) most = error;
      };
      take(worst, relative_error(sample.printed, sample.truth));
      if (!sample.cross_check.empty()) {
        take(row.oracle_gap, relative_error(sample.cross_check, sample.truth).value_or(0));
      }
    }
    row.errors.push_back(worst);
  }
  return row;
}

std::vector<Row> judge_all(char document, const std::string& subject,
                           const std::vector<Study>& studies, const Printed& printed,
                           const std::vector<KeyedClaim>& claims) {
  std::vector<Named<double>> values;
  for (const Study& study : studies) values.push_back(printed(study));
  std::vector<Row> rows;
  for (const auto& [key, claim] : claims) {
    rows.push_back(judge(document, subject, claim, [&, &name = key](int steps) {
      Samples samples;
      for (std::size_t i = 0; i < studies.size(); ++i) {
        const Study& study = studies[i];
        if (study.steps != steps) continue;
        samples.push_back({std::as_const(values[i])[name], study.truth[name],
                           study.from_naive.has(name) ? study.from_naive[name] : Real()});
      }
      return samples;
    }));
  }
  return rows;
}

const std::vector<Document>& documents() {
  static const std::vector<Document> all = {
      {'A', "RNN and LSTM BackPropagation Algorithm"},
      {'B', "Recurrent Neural Networks"},
      {'C', "Backpropagation through Time: a mathematical overview"},
      {'D', "Formula sheet"},
      {'E', "Long Short-term Memory Unit"},
  };
  return all;
}

std::vector<Row> audit() {
  std::vector<Row> rows;
  for (const auto part : {rows_of_a, rows_of_b_rnn, rows_of_b_lstm, rows_of_b_gru,
                          rows_of_c_feed_forward, rows_of_c_recurrent, rows_of_d, rows_of_e}) {
    std::vector<Row> more = part();
    rows.insert(rows.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  }
  return rows;
}

}  // namespace bptt::verify::textbook
