// The table of planted faults: what is wrong, where it is planted, and which check has to catch it
// and what that has to name. One file for each phase (faults_*.cpp) holds its rows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "verify/self_test/faulty_model.hpp"
#include "verify/self_test/mistaken_textbook.hpp"

namespace bptt::verify {

struct PlantedFault {
  std::string name;   ///< what is wrong, in the field's words
  std::string phase;  ///< "forward", "backward", "lengths", "runs", ...
  std::string case_name;
  std::string check;           ///< the one that has to catch it
  std::string tensor = "";     ///< one of those that it has to name; empty: whichever
  std::string time_step = "";  ///< part of what the finding says of time; empty: whatever
  std::string gate = "";       ///< of the place that it names; empty: whichever
  Fault in_plans{};            ///< either in the plans of the backend
  ModelFault around{};         ///< or around them
  std::function<Spec(Spec)> spec_seen{};                 ///< or in what is made of the spec before
  std::vector<Dtype> dtypes = {Dtype::f32, Dtype::f64};  ///< that it is planted in
  std::vector<int> threads = {1};  ///< thread counts that it runs with; more where it needs them
  /// Runs with every Recompute, not with none alone.
  bool recompute = false;
  /// Planted only where the backend promises the same bits for all thread counts.
  bool needs_thread_promise = false;

  bool is_shared() const { return in_plans.is_shared() || around.is_shared(); }
  /// The first part of the case's name: a cell, or an architecture with its cell.
  std::string cell() const;
};

/// A mistake of the textbook, in the backend alone or in backend and reference alike.
Fault mistaken(Mistake);
Fault mistaken_everywhere(Mistake);

std::vector<PlantedFault> forward_faults();
std::vector<PlantedFault> backward_faults();
std::vector<PlantedFault> sum_faults();
std::vector<PlantedFault> length_faults();
std::vector<PlantedFault> network_faults();
std::vector<PlantedFault> run_faults();
std::vector<PlantedFault> value_faults();
std::vector<PlantedFault> reference_faults();
std::vector<PlantedFault> property_faults();

/// All of them, in this order.
std::vector<PlantedFault> planted_faults();

}  // namespace bptt::verify
