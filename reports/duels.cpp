#include "reports/duels.hpp"

#include <algorithm>
#include <map>

#include "reports/format.hpp"

namespace bptt::report {
namespace {

/// Ours in a case.
using Field = std::vector<const Measurement*>;

Field field_of(const Report& report, const CaseResult& result) {
  Field field;
  for (const Measurement& m : result.measurements) {
    const bool ours =
        report.ours.empty() ? report.study.peers.count(m.backend) == 0 : m.backend == report.ours;
    if (ours && m.may_be_ranked()) field.push_back(&m);
  }
  return field;
}

const Measurement* fastest(const Field& field) {
  const auto least = std::min_element(
      field.begin(), field.end(),
      [](const Measurement* a, const Measurement* b) { return a->median < b->median; });
  return least == field.end() ? nullptr : *least;
}

/// Each round's seconds of the one that is fastest in the other rounds.
std::map<Round, double> seconds_of(const Field& field) {
  if (field.size() == 1) return field.front()->seconds;
  struct Candidate {
    double elsewhere, here;
  };
  std::map<Round, Candidate> chosen;
  for (const Measurement* m : field) {
    std::vector<double> sorted;
    for (const auto& [round, seconds] : m->seconds) sorted.push_back(seconds);
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [round, seconds] : m->seconds) {
      const Candidate one{median_without(sorted, seconds), seconds};
      const auto [at, first] = chosen.try_emplace(round, one);
      if (!first && one.elsewhere < at->second.elsewhere) at->second = one;
    }
  }
  std::map<Round, double> seconds;
  for (const auto& [round, one] : chosen) seconds[round] = one.here;
  return seconds;
}

RatioData unpaired(const std::map<Round, double>& theirs, const std::map<Round, double>& ours) {
  RatioData data;
  data.paired = false;
  for (const auto& [round, seconds] : theirs) data.numerator.push_back(seconds);
  for (const auto& [round, seconds] : ours) data.denominator.push_back(seconds);
  return data;
}

/// Paired where there is a round in common.
RatioData paired(const std::map<Round, double>& theirs, const std::map<Round, double>& ours) {
  RatioData data;
  for (const auto& [round, seconds] : theirs) {
    const auto other = ours.find(round);
    if (other == ours.end()) continue;
    data.numerator.push_back(seconds);
    data.denominator.push_back(other->second);
  }
  return data.numerator.empty() ? unpaired(theirs, ours) : data;
}

/// Two sides, each with the number of threads it was measured on.
struct Ours {
  Field field;
  Index threads = 1;
};
struct Theirs {
  const Measurement* measurement = nullptr;
  Index threads = 1;
};

Duel duel_of(const std::string& peer, const Case& key, const Ours& ours, const Theirs& theirs) {
  Duel duel{peer, key, fastest(ours.field), theirs.measurement, ours.threads, theirs.threads,
            {},   {}};
  const auto& their_seconds = theirs.measurement->seconds;
  // On other numbers of threads they were measured in rounds of different cases: nothing pairs
  // them.
  const bool together = ours.threads == theirs.threads;
  duel.data = together ? paired(their_seconds, seconds_of(ours.field))
                       : unpaired(their_seconds, seconds_of(ours.field));
  duel.ratio.value = ratio_of(duel.data);
  duel.ratio.interval = {duel.ratio.value, duel.ratio.value, 0};
  if (duel.data.paired) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < duel.data.numerator.size(); ++i) {
      ratios.push_back(duel.data.numerator[i] / duel.data.denominator[i]);
    }
    duel.ratio.pairs = ratios.size();
    duel.ratio.interval = median_interval(std::move(ratios));
  } else if (!together) {
    const GeometricMean of_one = geometric_mean({duel.data});
    if (of_one.has_interval()) duel.ratio.interval = {of_one.low, of_one.high, 0.95};
  }
  return duel;
}

PeerGroup with_own_threads(const Report& report, const std::vector<const CaseResult*>& results) {
  struct Sides {
    Ours ours;
    std::map<std::string, Theirs> theirs;
  };
  std::map<Case, Sides> cases;
  for (const CaseResult* result : results) {
    Case key = result->key;
    key.threads = 0;
    auto& [ours, theirs] = cases[key];
    const Field field = field_of(report, *result);
    const auto faster = [](const Measurement& m, const Measurement* best) {
      return best == nullptr || m.median < best->median;
    };
    if (!field.empty() && faster(*fastest(field), fastest(ours.field))) {
      ours = {field, result->key.threads};
    }
    for (const std::string& peer : report.study.peers) {
      const Measurement* m = result->find(peer);
      if (m == nullptr || !m->may_be_ranked()) continue;
      Theirs& best = theirs[peer];
      if (faster(*m, best.measurement)) best = {m, result->key.threads};
    }
  }
  PeerGroup group{"each on its best number of threads", {}, true};
  for (const auto& [key, sides] : cases) {
    if (sides.ours.field.empty()) continue;
    for (const auto& [peer, theirs] : sides.theirs) {
      group.duels.push_back(duel_of(peer, key, sides.ours, theirs));
    }
  }
  return group;
}

}  // namespace

std::vector<PeerGroup> peer_groups(const Report& report, std::string_view phase) {
  const auto results = report.study.of("layer", phase);
  std::map<Index, PeerGroup> by_threads;
  for (const CaseResult* result : results) {
    const Field field = field_of(report, *result);
    if (field.empty()) continue;
    const Index threads = result->key.threads;
    for (const std::string& peer : report.study.peers) {
      const Measurement* theirs = result->find(peer);
      if (theirs == nullptr || !theirs->may_be_ranked() || peer == report.ours) continue;
      PeerGroup& group = by_threads[threads];
      group.title = counted(static_cast<std::size_t>(threads), "thread", "threads");
      group.duels.push_back(duel_of(peer, result->key, {field, threads}, {theirs, threads}));
    }
  }
  std::vector<PeerGroup> groups;
  for (auto& [threads, group] : by_threads) groups.push_back(std::move(group));
  if (groups.size() > 1) groups.push_back(with_own_threads(report, results));
  return groups;
}

}  // namespace bptt::report
