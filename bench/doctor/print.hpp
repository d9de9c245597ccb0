// The doctor's report as text, and facts, limits and findings as JSON.
#pragma once

#include <iosfwd>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/doctor/findings.hpp"

namespace bptt::bench {

/// In 80 columns.
void print_doctor(const Facts&, const Limits&, const std::vector<Finding>&, std::ostream&);

/// Keys "system", "build", "libraries", "blas", "denormals", "variables".
nlohmann::ordered_json facts_json(const Facts&);
nlohmann::ordered_json limits_json(const Limits&);
/// Objects of severity, id, what, cost, cure.
nlohmann::ordered_json findings_json(const std::vector<Finding>&);

/// Text broken at spaces into lines of at most 80 characters, the first behind `begin`, the others
/// behind `indent` spaces.
std::string wrapped(const std::string& begin, const std::string& text, std::size_t indent);

}  // namespace bptt::bench
