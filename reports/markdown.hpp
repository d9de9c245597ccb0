// The report as Markdown (GitHub's), for a terminal, a pull request or a CI summary.
#pragma once

#include <string>
#include <string_view>

#include "reports/report.hpp"

namespace bptt::report {

std::string markdown_summary(const Report&);

/// Text that means itself: no markup, no HTML, one line.
std::string escape_markdown(std::string_view text);

}  // namespace bptt::report
