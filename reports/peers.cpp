#include "reports/peers.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "reports/case_columns.hpp"
#include "reports/format.hpp"

namespace bptt::report {
namespace {

using Style = Text::Style;

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

Words mean_words(const GeometricMean& mean) {
  if (!mean.has_interval()) {
    Words words(times(mean.value));
    words.add(" (too few rounds)", Style::quiet);
    return words;
  }
  return {times(mean.value) + interval_text(mean.low, mean.high), mean.low > 1    ? Style::best
                                                                  : mean.high < 1 ? Style::alarm
                                                                                  : Style::plain};
}

/// The ratio of one case, in colour where it is known to be above or below 1.
Words ratio_words(const Ratio& ratio) {
  const Ratio::Verdict verdict = ratio.verdict();
  const Style style = verdict == Ratio::Verdict::above   ? Style::best
                      : verdict == Ratio::Verdict::below ? Style::alarm
                                                         : Style::plain;
  if (ratio.pairs > 0) return {with_interval(ratio), style};
  if (verdict == Ratio::Verdict::too_few) return with_interval(ratio);
  return {times(ratio.value) + interval_text(ratio.interval.low, ratio.interval.high) + " unpaired",
          style};
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

Table peer_means(const Report& report, std::string_view phase) {
  const auto groups = peer_groups(report, phase);
  const auto peers = peers_in(report, groups);
  Table table;
  table.caption = "Time of a peer over time of " + our_name(report) +
                  ", the geometric mean over the cases that both ran: above 1, ours is faster." +
                  (report.ours.empty()
                       ? " Which of ours is the fastest is decided for each round by the others."
                       : "");
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
        row.push_back(mean_words(mean));
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
    const bool own = group.own_threads;
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
        row.push_back(ratio_words((*duel)->ratio));
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
      for (const Text& part : mean_words(mean).parts) sentence.add(part.text, part.style);
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
