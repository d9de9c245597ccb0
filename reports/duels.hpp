// Ours and a peer on the same case: which of ours, with which rounds, and by how much.
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
  Case key;                           ///< threads: of both, or 0 where each has its own
  const Measurement* ours = nullptr;  ///< the one with the least median
  const Measurement* theirs = nullptr;
  Index our_threads = 1, their_threads = 1;
  RatioData data;  ///< their times over ours
  Ratio ratio;     ///< above 1: ours is faster. Unpaired it has an interval only of enough rounds
};

/// Duels on equal numbers of threads.
struct PeerGroup {
  std::string title;  ///< "1 thread", "2 threads", "each on its best number of threads"
  std::vector<Duel> duels;
  bool own_threads = false;  ///< each on its best
};

/// Of the layer workload's cases of a phase that a verified peer and a verified backend of ours
/// were measured on, one group for each number of threads and then, where there are several, the
/// one with the best of each.
///
/// Ours is `report.ours` or, where that is empty, the fastest of ours. Whoever is picked for his
/// times was lucky in some of them, and the same times would count his luck as speed. So each round
/// is given to the one that is fastest by the median of all other rounds.
std::vector<PeerGroup> peer_groups(const Report&, std::string_view phase);

}  // namespace bptt::report
