// Gradient flow in a report: norms of dh_T/dh_k that bptt-verify --flow measured, beside their
// bound, as tables, sentences and data for charts.
#pragma once

#include <string>
#include <vector>

#include "reports/environment.hpp"
#include "reports/table.hpp"
#include "verify/flow/rows.hpp"

namespace bptt::report {

/// Rows of the files, in their order; empty: no such section.
using Flow = std::vector<verify::flow::Row>;

/// "All 1200 bounds hold." or how many do not.
Words flow_verdict(const Flow&);
/// What is measured and what the bound is, one sentence or two each.
std::vector<std::string> flow_method();

/// A row for each network: norms at the first lag, half way and at the last, beside the bound.
Table flow_summary(const Flow&);
/// A row for each lag.
Table flow_table(const Flow&);

/// Titles of the charts, one chart for each cell (and backend, extents, ... where they differ).
std::vector<std::string> flow_titles(const Flow&);
/// What page/flow.js draws: an array in the order of flow_titles().
Json flow_data(const Flow&);

}  // namespace bptt::report
