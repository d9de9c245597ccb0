#include "reports/peers.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "reports/case_columns.hpp"
#include "reports/format.hpp"

namespace bptt::report {
namespace {

using Style = Text::Style;

constexpr const char* own_best = "each on its best number of threads";

bool is_ours(const Report& report, const Measurement& m) {
  if (!m.may_be_ranked()) return false;
  if (!report.ours.empty()) return m.backend == report.ours;
  return report.study.peers.count(m.backend) == 0;
}

/// The fastest of those that `wanted` accepts; null where there is none.
template <class Wanted>
const Measurement* fastest(const CaseResult& result, Wanted wanted) {
  const Measurement* best = nullptr;
  for (const Measurement& m : result.measurements) {
    if (wanted(m) && (best == nullptr || m.median < best->median)) best = &m;
  }
  return best;
}

RatioData data_of(const Measurement& theirs, const Measurement& ours) {
  RatioData data;
  for (const auto& [round, seconds] : theirs.seconds) {
    const auto other = ours.seconds.find(round);
    if (other == ours.seconds.end()) continue;
    data.numerator.push_back(seconds);
    data.denominator.push_back(other->second);
  }
  if (!data.numerator.empty()) return data;
  data.paired = false;
  for (const auto& [round, seconds] : theirs.seconds) data.numerator.push_back(seconds);
  for (const auto& [round, seconds] : ours.seconds) data.denominator.push_back(seconds);
  return data;
}

/// Two sides, each with the number of threads it was measured on.
struct Side {
  const Measurement* measurement = nullptr;
  Index threads = 1;
};

Duel duel_of(const std::string& peer, const Case& key, const Side& ours, const Side& theirs) {
  Duel duel{peer, key, ours.measurement, theirs.measurement, ours.threads, theirs.threads, {}, {}};
  if (ours.threads == theirs.threads) {
    duel.data = data_of(*theirs.measurement, *ours.measurement);
    duel.ratio = paired_ratio(*theirs.measurement, *ours.measurement);
    return duel;
  }
  // Measured in rounds of different cases: nothing pairs them.
  duel.data.paired = false;
  for (const auto& [round, s] : theirs.measurement->seconds) duel.data.numerator.push_back(s);
  for (const auto& [round, s] : ours.measurement->seconds) duel.data.denominator.push_back(s);
  const GeometricMean of_one = geometric_mean({duel.data});
  duel.ratio = {of_one.value, {of_one.low, of_one.high, 0.95}, 0};
  return duel;
}

PeerGroup with_own_threads(const Report& report, const std::vector<const CaseResult*>& results) {
  std::map<Case, std::map<std::string, Side>> sides;  // "" is ours
  const auto offer = [](Side& best, const Measurement* m, Index threads) {
    if (m == nullptr) return;
    if (best.measurement == nullptr || m->median < best.measurement->median) best = {m, threads};
  };
  for (const CaseResult* result : results) {
    Case key = result->key;
    key.threads = 0;
    auto& of_case = sides[key];
    offer(of_case[""], fastest(*result, [&](const Measurement& m) { return is_ours(report, m); }),
          result->key.threads);
    for (const std::string& peer : report.study.peers) {
      const Measurement* m = result->find(peer);
      if (m != nullptr && m->may_be_ranked()) offer(of_case[peer], m, result->key.threads);
    }
  }
  PeerGroup group{own_best, {}};
  for (const auto& [key, of_case] : sides) {
    const Side& ours = of_case.at("");
    if (ours.measurement == nullptr) continue;
    for (const std::string& peer : report.study.peers) {
      const auto theirs = of_case.find(peer);
      if (theirs == of_case.end()) continue;
      group.duels.push_back(duel_of(peer, key, ours, theirs->second));
    }
  }
  return group;
}

std::vector<std::string> peers_in(const PeerGroup& group) {
  std::vector<std::string> peers;
  for (const Duel& duel : group.duels) {
    if (std::find(peers.begin(), peers.end(), duel.peer) == peers.end()) peers.push_back(duel.peer);
  }
  return peers;
}

/// In the order of the report's backends.
std::vector<std::string> peers_in(const Report& report, const std::vector<PeerGroup>& groups) {
  std::vector<std::string> peers;
  for (const std::string& backend : report.study.backends) {
    const bool met = std::any_of(groups.begin(), groups.end(), [&](const PeerGroup& group) {
      const auto in = peers_in(group);
      return std::find(in.begin(), in.end(), backend) != in.end();
    });
    if (met) peers.push_back(backend);
  }
  return peers;
}

std::vector<RatioData> data_for(const PeerGroup& group, const std::string& peer,
                                const std::string& cell) {
  std::vector<RatioData> data;
  for (const Duel& duel : group.duels) {
    if (duel.peer == peer && (cell.empty() || duel.key.cell == cell)) data.push_back(duel.data);
  }
  return data;
}

std::string mean_text(const GeometricMean& mean) {
  // Any number of pairs but none or one, which would have no interval to show.
  constexpr std::size_t pairs = 2;
  return with_interval({mean.value, {mean.low, mean.high, 0.95}, pairs});
}

std::string our_name(const Report& report) {
  return report.ours.empty() ? "the fastest of ours" : report.ours;
}

std::vector<std::string> cells_in(const PeerGroup& group) {
  std::vector<std::string> cells;
  for (const Duel& duel : group.duels) {
    if (std::find(cells.begin(), cells.end(), duel.key.cell) == cells.end()) {
      cells.push_back(duel.key.cell);
    }
  }
  return cells;
}

std::vector<Case> keys_in(const std::vector<PeerGroup>& groups) {
  std::vector<Case> keys;
  for (const PeerGroup& group : groups) {
    for (const Duel& duel : group.duels) keys.push_back(duel.key);
  }
  return keys;
}

/// The duels of one case of a group, which stand one after the other.
std::map<Case, std::vector<const Duel*>> by_case(const PeerGroup& group) {
  std::map<Case, std::vector<const Duel*>> cases;
  for (const Duel& duel : group.duels) cases[duel.key].push_back(&duel);
  return cases;
}

}  // namespace

std::vector<PeerGroup> peer_groups(const Report& report, std::string_view phase) {
  const auto results = report.study.of("layer", phase);
  std::map<Index, PeerGroup> by_threads;
  for (const CaseResult* result : results) {
    const Measurement* ours =
        fastest(*result, [&](const Measurement& m) { return is_ours(report, m); });
    if (ours == nullptr) continue;
    const Index threads = result->key.threads;
    for (const std::string& peer : report.study.peers) {
      const Measurement* theirs = result->find(peer);
      if (theirs == nullptr || !theirs->may_be_ranked() || theirs == ours) continue;
      PeerGroup& group = by_threads[threads];
      group.title = counted(static_cast<std::size_t>(threads), "thread", "threads");
      group.duels.push_back(duel_of(peer, result->key, {ours, threads}, {theirs, threads}));
    }
  }
  std::vector<PeerGroup> groups;
  for (auto& [threads, group] : by_threads) groups.push_back(std::move(group));
  if (groups.size() > 1) groups.push_back(with_own_threads(report, results));
  return groups;
}

Table peer_means(const Report& report, std::string_view phase) {
  const auto groups = peer_groups(report, phase);
  const auto peers = peers_in(report, groups);
  Table table;
  table.caption = "Time of a peer over time of " + our_name(report) +
                  ", the geometric mean over the cases that both ran: above 1, ours is faster.";
  table.columns = {{"threads"}, {"cell"}};
  for (const std::string& peer : peers) {
    table.columns.push_back({peer, true});
    table.columns.push_back({"cases", true});
  }
  for (const PeerGroup& group : groups) {
    std::vector<std::string> cells = cells_in(group);
    if (cells.size() > 1) cells.emplace_back("");
    for (const std::string& cell : cells) {
      std::vector<Words> row = {group.title,
                                cell.empty() ? Words("all", Style::best) : Words(cell)};
      for (const std::string& peer : peers) {
        const auto data = data_for(group, peer, cell);
        if (data.empty()) {
          row.insert(row.end(), 2, nothing);
          continue;
        }
        const GeometricMean mean = geometric_mean(data);
        row.emplace_back(mean_text(mean), mean.low > 1    ? Style::best
                                          : mean.high < 1 ? Style::alarm
                                                          : Style::plain);
        row.emplace_back(std::to_string(mean.cases));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table peer_cases(const Report& report, std::string_view phase) {
  const auto groups = peer_groups(report, phase);
  const auto peers = peers_in(report, groups);
  Table table;
  table.columns = {{"threads", false, true}};
  const CaseColumns columns(keys_in(groups), {"workload", "phase", "threads"}, table);
  table.columns.push_back({"ours"});
  table.columns.push_back({"time", true});
  table.columns.push_back({"GFLOP/s", true});
  table.columns.push_back({"of bound", true});
  for (const std::string& peer : peers) {
    table.columns.push_back({peer, true});
    table.columns.push_back({"its time", true});
    table.columns.push_back({"in reordering", true});
  }
  for (const PeerGroup& group : groups) {
    const bool own = group.title == own_best;
    const auto with_threads = [&](const Measurement& m, Index threads) {
      return duration(m.median) + (own ? " on " + std::to_string(threads) : "");
    };
    for (const auto& [key, duels] : by_case(group)) {
      const Measurement& ours = *duels.front()->ours;
      std::vector<Words> row = {own ? std::string("best of each") : std::to_string(key.threads)};
      for (Words& cell : columns.cells(key)) row.push_back(std::move(cell));
      row.emplace_back(ours.backend, Style::backend);
      row.emplace_back(with_threads(ours, duels.front()->our_threads));
      row.emplace_back(or_nothing(ours.gflops(), three_digits));
      row.emplace_back(or_nothing(ours.fraction_of_bound(), percent));
      for (const std::string& peer : peers) {
        const auto duel = std::find_if(duels.begin(), duels.end(),
                                       [&](const Duel* one) { return one->peer == peer; });
        if (duel == duels.end()) {
          row.insert(row.end(), 3, nothing);
          continue;
        }
        const Measurement& theirs = *(*duel)->theirs;
        const Ratio::Verdict verdict = (*duel)->ratio.verdict();
        const bool unpaired_interval = (*duel)->ratio.pairs == 0;
        const Interval& interval = (*duel)->ratio.interval;
        const std::string text = unpaired_interval && interval.coverage > 0
                                     ? times((*duel)->ratio.value) + " (" + times(interval.low) +
                                           " to " + times(interval.high) + ", unpaired)"
                                     : with_interval((*duel)->ratio);
        row.emplace_back(text, verdict == Ratio::Verdict::above   ? Style::best
                               : verdict == Ratio::Verdict::below ? Style::alarm
                                                                  : Style::plain);
        row.emplace_back(with_threads(theirs, (*duel)->their_threads));
        row.emplace_back(or_nothing(theirs.reordering(), percent));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

std::vector<Words> peer_verdicts(const Report& report, std::string_view phase) {
  const auto groups = peer_groups(report, phase);
  std::vector<Words> sentences;
  for (const std::string& peer : peers_in(report, groups)) {
    std::string name = our_name(report);
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    Words sentence(report.ours.empty() ? name : report.ours,
                   report.ours.empty() ? Style::plain : Style::backend);
    sentence.add(" against ").add(peer, Style::backend).add(": ");
    bool first = true;
    for (const PeerGroup& group : groups) {
      const auto data = data_for(group, peer, "");
      if (data.empty()) continue;
      const GeometricMean mean = geometric_mean(data);
      sentence.add(first ? "" : "; ");
      sentence.add(mean_text(mean), mean.low > 1    ? Style::best
                                    : mean.high < 1 ? Style::alarm
                                                    : Style::plain);
      sentence.add(first ? " as fast with " : " with ").add(group.title + " (");
      sentence.add(counted(mean.cases, "case", "cases") + ")");
      first = false;
    }
    sentence.add(".");
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

Json peer_data(const Report& report, std::string_view phase) {
  const auto groups = peer_groups(report, phase);
  const Layout layout = layout_of(keys_in(groups), {"workload", "phase", "threads"});
  Json sets = Json::array();
  for (const PeerGroup& group : groups) {
    Json cases = Json::array();
    for (const auto& [key, duels] : by_case(group)) {
      std::string label;
      for (const CaseField& field : layout.columns) {
        label += (label.empty() ? "" : ", ") + labelled(field, key);
      }
      Json gains = Json::object();
      for (const Duel* duel : duels) {
        const Interval& interval = duel->ratio.interval;
        gains[duel->peer] = {duel->ratio.value, interval.low, interval.high, duel->ratio.pairs};
      }
      cases.push_back({{"label", label.empty() ? key.cell : label}, {"gains", std::move(gains)}});
    }
    sets.push_back({{"name", group.title}, {"cases", std::move(cases)}});
  }
  return sets;
}

}  // namespace bptt::report
