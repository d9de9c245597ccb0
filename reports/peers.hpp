// Ours against the peers: the time of another library over the time of this suite's backend, case
// by case and in the mean, on as many threads and with each side on as many as suit it best.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/duels.hpp"
#include "reports/report.hpp"

namespace bptt::report {

/// The geometric mean over cases, for each group, cell and peer; a row for all cells where there
/// are several.
Table peer_means(const Report&, std::string_view phase);
/// Every case of every group.
Table peer_cases(const Report&, std::string_view phase);

/// "The fastest of ours against onednn: 1.31x (1.29-1.33) as fast with 1 thread (40 cases); ...",
/// one sentence for each peer. Nothing where there are no duels.
std::vector<Words> peer_verdicts(const Report&, std::string_view phase);

/// For page.js: [{name, cases: [{label, gains: {peer: [ratio, low, high, rounds]}}]}].
Json peer_data(const Report&, std::string_view phase);

}  // namespace bptt::report
