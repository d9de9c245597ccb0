// Results compared bit by bit.
#pragma once

#include <string>
#include <vector>

#include "verify/result.hpp"
#include "verify/values.hpp"

namespace bptt::verify {

/// Appends a finding of `check` for each result tensor that differs in bits; at the first element
/// that does.
template <Real T>
void compare_bits(const std::vector<Layout>&, const Values<T>& got, const Values<T>& expected,
                  const std::string& check, const std::string& message, std::vector<Finding>&);

}  // namespace bptt::verify
