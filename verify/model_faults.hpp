// For tests: the faults that are planted in models, in their plans or around them, each with the
// case it is planted in, the check that has to catch it and the tensor in which it shows.
#pragma once

#include <vector>

#include "verify/faults.hpp"
#include "verify/faulty_model.hpp"

namespace bptt::verify {

struct PlantedModelFault {
  Fault in_plans;       ///< honest where the fault is around them
  ModelFault in_model;  ///< honest where the fault is in the plans
  const char* case_name;
  const char* check;
  const char* tensor;
  const char* time_step;  ///< as in PlantedFault

  const std::string& name() const { return in_plans.name; }
};

const std::vector<PlantedModelFault>& planted_model_faults();

}  // namespace bptt::verify
