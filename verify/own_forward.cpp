#include "verify/own_forward.hpp"

#include <cmath>
#include <utility>

namespace bptt::verify {

OwnForward::OwnForward(net::Model<double>& model, const Reference<float>& reference)
    : model_(model) {
  const auto given = given_tensors(model);
  for (std::size_t l = 0; l < loss_count; ++l) {
    lit_[l] = light(model, reference.given, direction_losses[l].lit);
    rounding_[l].clear();
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].role == net::Role::upstream) add_term(given[i].name.substr(1), i, reference);
  }
  for (auto& rows : rounding_) {
    for (long double& value : rows) value = std::sqrt(value / 2);
  }
}

PerRow OwnForward::difference(const Part& part, double h) {
  move(part, h);
  for (Term& term : terms_) term.above.assign(term.output.begin(), term.output.end());
  move(part, -h);
  PerRow sums;
  for (std::size_t l = 0; l < loss_count; ++l) {
    sums[l].assign(static_cast<std::size_t>(rows_), 0);
    for (const Term& term : terms_) {
      for (std::size_t e = 0; e < term.above.size(); ++e) {
        const double change = term.above[e] - term.output[static_cast<Index>(e)];
        sums[l][term.row(e)] += static_cast<long double>(term.weight[l][e]) * change;
      }
    }
    for (long double& sum : sums[l]) sum /= 2 * static_cast<long double>(h);
  }
  return sums;
}

void OwnForward::add_term(const std::string& output, std::size_t given,
                          const Reference<float>& reference) {
  for (const auto& tensor : model_.tensors()) {
    if (tensor.role != net::Role::output || tensor.name != output) continue;
    const Extents& extents = tensor.value.extents();
    Term term{tensor.value, {}, {}, extents[extents.rank() - 1], extents[extents.rank() - 2]};
    rows_ = term.rows;
    const std::size_t i = result_index(reference.layouts, output);
    for (std::size_t l = 0; l < loss_count; ++l) {
      term.weight[l] = lit_[l].values[given];
      rounding_[l].resize(static_cast<std::size_t>(rows_));
      for (std::size_t e = 0; e < term.weight[l].size(); ++e) {
        double& weight = term.weight[l][e];
        if (is_padding(reference.layouts[i], static_cast<Index>(e))) weight = 0;
        const double error = weight * reference.unit[i][e] * f64_of_f32;
        rounding_[l][term.row(e)] += error * error;
      }
    }
    terms_.push_back(std::move(term));
  }
}

void OwnForward::move(const Part& part, double h) {
  const View<double>& value = model_.tensors()[part.tensor].value;
  std::vector<double> kept(part.elements.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    kept[i] = value[part.elements[i]];
    value[part.elements[i]] += h * part.signs[i];
  }
  model_.forward();
  for (std::size_t i = 0; i < kept.size(); ++i) value[part.elements[i]] = kept[i];
}

}  // namespace bptt::verify
