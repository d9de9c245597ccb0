// Ours against the peers: the time of another library over the time of this suite's backend, case
// by case and in the mean, on as many threads and with each side on as many as suit it best.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/ranking.hpp"
#include "reports/report.hpp"

namespace bptt::report {

/// A peer and one of ours on the same case.
struct Duel {
  std::string peer;
  Case key;  ///< threads: of both, or 0 where each has its own
  const Measurement* ours = nullptr;
  const Measurement* theirs = nullptr;
  Index our_threads = 1, their_threads = 1;
  RatioData data;  ///< their times over ours
  Ratio ratio;     ///< above 1: ours is faster
};

/// Duels on equal numbers of threads.
struct PeerGroup {
  std::string title;  ///< "1 thread", "2 threads", "each on its best number of threads"
  std::vector<Duel> duels;
};

/// Of the layer workload's cases of a phase that a verified peer and a verified backend of ours
/// were measured on, one group for each number of threads and then, where there are several, the
/// one with the best of each. Ours is `report.ours` or, where that is empty, the one with the least
/// median time in the case.
std::vector<PeerGroup> peer_groups(const Report&, std::string_view phase);

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
