// The report as one HTML file that needs nothing else, and no network.
#pragma once

#include <string>
#include <string_view>

#include "reports/report.hpp"

namespace bptt::report {

std::string html_page(const Report&);

/// What page.js draws.
Json chart_data(const Report&);

// The files that the page is made of, embedded at build time (CMakeLists.txt).
std::string_view page_html();
std::string_view page_css();
std::string_view page_js();
std::string_view flow_js();
std::string_view lengths_js();
/// Empty where the build did not find Apache ECharts; the page then has its tables only.
std::string_view echarts_js();

}  // namespace bptt::report
