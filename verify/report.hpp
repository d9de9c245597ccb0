// The results of a run for people and for programs: a page on the terminal, JUnit XML, JSON. The
// formats stand in docs/verification.md.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "verify/result.hpp"
#include "verify/settings.hpp"

namespace bptt::verify {

void print_report(std::ostream&, const Settings&, const std::vector<Result>&);

/// The JSON document, with a final newline.
std::string json_text(const Settings&, const std::vector<Result>&);
/// The JUnit document.
std::string junit_text(const std::vector<Result>&);

/// Throws Error(unavailable) where the file cannot be written.
void write_file(const std::string& path, const std::string& text);

/// One failing result in several lines, each finding in full.
void print_failure(std::ostream&, const Result&);

}  // namespace bptt::verify
