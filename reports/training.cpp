#include "reports/training.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bptt::report {
namespace {

constexpr double no_loss = std::numeric_limits<double>::quiet_NaN();

void append_curves(const Measurement& measurement, std::vector<Curve>& curves) {
  // Rounds are ordered by run, then step: a new run begins a new curve.
  const std::string* run = nullptr;
  for (const auto& [round, seconds] : measurement.seconds) {
    if (run == nullptr || *run != round.first) {
      curves.push_back({&measurement, round.first, {}, {}, {}});
      run = &round.first;
    }
    const auto loss = measurement.loss.find(round);
    curves.back().steps.push_back(round.second);
    curves.back().seconds.push_back(seconds);
    curves.back().loss.push_back(loss == measurement.loss.end() ? no_loss : loss->second);
  }
}

/// Widens `widest` where the two curves are farther apart at a step they share. One that diverged
/// (inf or NaN) beside one that did not is infinitely far.
void compare(const Curve& a, const Curve& b, std::optional<Deviation>& widest) {
  for (const auto& [round, loss] : a.measurement->loss) {
    if (round.first != a.run_id) continue;
    const auto other = b.measurement->loss.find({b.run_id, round.second});
    if (other == b.measurement->loss.end()) continue;
    const bool both_finite = std::isfinite(loss) && std::isfinite(other->second);
    const double nats = both_finite ? std::abs(loss - other->second)
                        : std::isfinite(loss) == std::isfinite(other->second)
                            ? 0
                            : std::numeric_limits<double>::infinity();
    if (!widest || nats > widest->nats) {
      widest = {nats, round.second, a.measurement->backend, b.measurement->backend};
    }
  }
}

}  // namespace

double Curve::total_seconds() const {
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

double Training::characters_per_step() const {
  return static_cast<double>(result->key.T) * static_cast<double>(result->key.B);
}

std::string Training::name_of(const Curve& curve) const {
  const auto of_same_backend = [&](const Curve& other) {
    return other.measurement == curve.measurement;
  };
  const std::string& backend = curve.measurement->backend;
  return std::count_if(curves.begin(), curves.end(), of_same_backend) > 1
             ? backend + " (" + curve.run_id + ')'
             : backend;
}

std::vector<Training> trainings_of(const Study& study) {
  std::vector<Training> trainings;
  for (const CaseResult* result : study.of("char-lm")) {
    Training training{result, {}, std::nullopt};
    for (const Measurement& measurement : result->measurements) {
      append_curves(measurement, training.curves);
    }
    for (std::size_t i = 0; i < training.curves.size(); ++i) {
      for (std::size_t k = i + 1; k < training.curves.size(); ++k) {
        compare(training.curves[i], training.curves[k], training.deviation);
      }
    }
    trainings.push_back(std::move(training));
  }
  return trainings;
}

}  // namespace bptt::report
