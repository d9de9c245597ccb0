// `bptt-verify --textbook`: the audit from its arguments to its exit code.
#pragma once

#include <iosfwd>
#include <string>

namespace bptt::verify::textbook {

/// Prints the audit as `format` ("text" or "markdown") has it. program::good where every row comes
/// out as stated, else program::numerically_wrong. Throws Error(usage) for another format.
int run_audit(const std::string& format, std::ostream&);

}  // namespace bptt::verify::textbook
