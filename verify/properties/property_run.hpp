// The part of a run that goes over the cases of this folder.
#pragma once

#include <functional>

#include "verify/properties/property.hpp"
#include "verify/settings.hpp"

namespace bptt::verify {

/// The cases that the settings choose.
std::vector<const PropertyCase*> chosen_property_cases(const Settings&);

/// Every case on every backend; `starts` is called before each.
void check_properties(const Settings&, const std::vector<const PropertyCase*>&,
                      const std::function<void(const PropertyCase&)>& starts, std::vector<Result>&);

}  // namespace bptt::verify
