// The char-lm workload: one row per training step, turned into loss curves and speed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/study.hpp"

namespace bptt::report {

/// One backend's training in one run. No step is left out, warm-up or not.
struct Curve {
  const Measurement* measurement = nullptr;
  std::string run_id;
  std::vector<Index> steps;
  std::vector<double> seconds, loss;  ///< as long as `steps`; loss is NaN where the file has none

  double total_seconds() const;
};

/// The largest distance between the loss curves of two backends.
struct Deviation {
  double nats = 0;
  Index step = 0;
  std::string backend, other;
};

/// The trainings of one case: same model, same data, same seed; their curves should agree.
struct Training {
  const CaseResult* result = nullptr;
  std::vector<Curve> curves;
  std::optional<Deviation> deviation;  ///< absent with a single curve, or without a loss in common

  /// Characters of one step: every time step of every sequence is one.
  double characters_per_step() const;
  /// A curve's backend, and its run where the backend trained in several.
  std::string name_of(const Curve&) const;
};

std::vector<Training> trainings_of(const Study&);

}  // namespace bptt::report
