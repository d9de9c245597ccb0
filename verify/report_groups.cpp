// What every report says of several results at once.
#include <algorithm>
#include <cmath>

#include "verify/report.hpp"

namespace bptt::verify {

std::vector<ResultGroup> groups_of(const std::vector<Result>& results) {
  std::vector<ResultGroup> groups;
  for (const Result& result : results) {
    auto group = std::find_if(groups.begin(), groups.end(), [&](const ResultGroup& other) {
      return other.kind == result.kind && other.backend == result.backend &&
             other.dtype == result.dtype;
    });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {result.kind, result.backend, result.dtype, {}, nullptr});
    }
    group->counts.add(count({result}));
    if (result.worst_place.index < 0) continue;
    if (group->worst == nullptr || result.worst > group->worst->worst) group->worst = &result;
  }
  return groups;
}

std::string verdict_text(const Counts& counts) {
  if (counts.fail > 0) return "FAIL (" + std::to_string(counts.fail) + ")";
  if (counts.pass + counts.inconclusive == 0) return counts.errors > 0 ? "error" : "refused";
  if (counts.inconclusive > 0) return "inconclusive (" + std::to_string(counts.inconclusive) + ")";
  return "pass";
}

std::string overall_text(const Counts& counts) {
  if (counts.pass + counts.inconclusive + counts.fail + counts.errors == 0) {
    return "NOTHING was checked";
  }
  return counts.fail > 0           ? "FAIL"
         : counts.errors > 0       ? "ERROR"
         : counts.inconclusive > 0 ? "INCONCLUSIVE"
                                   : "PASS";
}

std::string margin_text(double worst) {
  return worst > 0 && std::isfinite(worst) ? number_text(error_limit / worst, 2) + "x" : "-";
}

}  // namespace bptt::verify
