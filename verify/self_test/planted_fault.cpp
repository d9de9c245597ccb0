#include "verify/self_test/planted_fault.hpp"

#include <iterator>

namespace bptt::verify {

std::string PlantedFault::cell() const {
  return case_name.substr(0, case_name.find('/'));
}

Fault mistaken(Mistake mistake) {
  return Fault::make("mistaken textbook",
                     [mistake](auto& context) { add_mistake(mistake, context); });
}

Fault mistaken_everywhere(Mistake mistake) {
  return Fault::make_for_all("mistaken textbook",
                             [mistake](auto& context) { add_mistake(mistake, context); });
}

std::vector<PlantedFault> planted_faults() {
  std::vector<PlantedFault> all;
  for (const auto& rows :
       {forward_faults(), backward_faults(), sum_faults(), length_faults(), network_faults(),
        run_faults(), value_faults(), reference_faults(), property_faults()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace bptt::verify
