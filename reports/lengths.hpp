// Sequences of different lengths: the time of each backend against the share of steps that are
// live, beside its own time where all sequences are full.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/report.hpp"

namespace bptt::report {

/// Cases that differ in their lengths only.
struct LengthsFamily {
  struct Point {
    std::string spread;  ///< "uniform", "25%", ...
    double share = 0;    ///< of T*B
    const CaseResult* result = nullptr;
  };
  Case key;                          ///< without lengths
  const CaseResult* full = nullptr;  ///< of it; null where that was not measured
  std::vector<Point> points;         ///< the largest share first
};

/// Of the layer workload's cases of a phase, as far as the files count live steps (schema 3).
std::vector<LengthsFamily> lengths_families(const Report&, std::string_view phase);

/// One row for each backend and spread of each family, and one for its full-length time.
Table lengths_table(const Report&, std::string_view phase);

/// How near each backend comes to leaving the padding out, and where it is slower than padding; one
/// sentence each.
std::vector<Words> lengths_verdicts(const Report&, std::string_view phase);

/// "onednn and xsmm take no lengths: ..."; nothing where all backends take them.
std::vector<std::string> lengths_cautions(const Study&);

/// For lengths.js: [{title, series: {backend: [{x, seconds, min, max, ratio, spread, padded}]}}].
Json lengths_data(const Report&, std::string_view phase);

}  // namespace bptt::report
