// For tests: the faults that are planted, each with the case it is planted in, the check that has
// to catch it and the tensor in which it shows first of all.
#pragma once

#include <vector>

#include "verify/faulty_backend.hpp"

namespace bptt::verify {

struct PlantedFault {
  Fault fault;
  const char* case_name;
  const char* check;      ///< "equality", "padding", ...
  const char* tensor;     ///< one of those that must be named
  const char* time_step;  ///< part of the finding's time step; empty: any that is not empty

  const std::string& name() const { return fault.name; }
};

const std::vector<PlantedFault>& planted_faults();

}  // namespace bptt::verify
