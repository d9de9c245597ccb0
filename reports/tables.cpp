// Tables of who is fastest, of all measurements, and of what is not ranked.
#include <algorithm>
#include <map>

#include "reports/case_columns.hpp"
#include "reports/format.hpp"
#include "reports/ranking.hpp"
#include "reports/report.hpp"

namespace bptt::report {
namespace {

using Style = Text::Style;

std::vector<Case> keys_of(const std::vector<const CaseResult*>& results) {
  std::vector<Case> keys;
  for (const CaseResult* result : results) keys.push_back(result->key);
  return keys;
}

Words winner(const Ranking& ranking) {
  using Outcome = Ranking::Outcome;
  if (ranking.outcome == Outcome::none) return {"none verified", Style::quiet};
  Words words;
  if (ranking.outcome == Outcome::too_close) {
    words.add("too close: ", Style::quiet);
    for (std::size_t i = 0; i < ranking.contenders.size(); ++i) {
      if (i > 0) words.add(", ");
      words.add(ranking.contenders[i]->backend, Style::backend);
    }
    return words;
  }
  words.add(ranking.leader->backend, Style::backend);
  if (ranking.outcome == Outcome::alone) words.add(" (only one verified)", Style::quiet);
  if (ranking.outcome == Outcome::too_few) {
    const std::size_t n = ranking.margin.pairs;
    words.add(n == 0 ? std::string(" (unsure: no round in common)")
                     : " (unsure: " + counted(n, "round", "rounds") + ")",
              Style::quiet);
  }
  return words;
}

Words margin(const Ranking& ranking) {
  if (ranking.next == nullptr) return nothing;
  Words words(with_interval(ranking.margin),
              ranking.outcome == Ranking::Outcome::clear ? Style::best : Style::plain);
  words.add(" over ").add(ranking.next->backend, Style::backend);
  // The space does not break.
  words.add(",\u00a0n=" + std::to_string(ranking.margin.pairs), Style::quiet);
  return words;
}

}  // namespace

Words standing(const Measurement& measurement) {
  if (measurement.verified == "failed") return {"failed", Style::alarm};
  if (measurement.verified == "no") return {"not verified", Style::alarm};
  return measurement.verified;
}

std::string notes_of(const Measurement& measurement) {
  return listed({measurement.notes.begin(), measurement.notes.end()});
}

Table winners(const Report& report, std::string_view phase) {
  const auto results = report.study.of("layer", phase);
  Table table;
  const CaseColumns columns(keys_of(results), {"workload", "phase"}, table);
  for (const auto& [heading, number] : std::initializer_list<std::pair<std::string, bool>>{
           {"fastest", false},
           {"ahead of the next by", false},
           {"ahead of " + report.baseline + " by", true},
           {"time", true},
           {"GFLOP/s", true},
           {"of peak", true}}) {
    table.columns.push_back({heading, number});
  }
  for (const CaseResult* result : results) {
    const Ranking ranking = rank(*result);
    auto row = columns.cells(result->key);
    row.push_back(winner(ranking));
    row.push_back(margin(ranking));
    if (const Measurement* leader = ranking.leader) {
      const auto gain = leader->backend == report.baseline
                            ? std::nullopt
                            : speedup(report.study, *result, leader->backend, report.baseline);
      row.push_back(gain ? times(gain->value) : nothing);
      row.push_back(duration(leader->median));
      row.push_back(or_nothing(leader->gflops(), three_digits));
      row.push_back(or_nothing(leader->fraction_of_peak(), percent));
    } else {
      row.insert(row.end(), 4, nothing);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table speedups(const Report& report, std::string_view phase) {
  const auto results = report.study.of("layer", phase);
  Table table;
  const CaseColumns columns(keys_of(results), {"workload", "phase"}, table);
  table.columns.push_back({report.baseline + ", time", true});
  std::vector<std::string> others = report.study.backends;
  std::erase(others, report.baseline);
  for (const std::string& backend : others) table.columns.push_back({backend, true});
  for (const CaseResult* result : results) {
    const Measurement* base = result->find(report.baseline);
    auto row = columns.cells(result->key);
    row.push_back(base == nullptr         ? Words(nothing)
                  : base->may_be_ranked() ? Words(duration(base->median))
                                          : standing(*base));
    for (const std::string& backend : others) {
      const Measurement* measurement = result->find(backend);
      const auto gain = speedup(report.study, *result, backend, report.baseline);
      row.push_back(gain ? Words(with_interval(*gain))
                    : measurement != nullptr && !measurement->may_be_ranked()
                        ? standing(*measurement)
                        : Words(nothing));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table measurements(const Report& report) {
  Table table;
  std::vector<Case> keys;
  for (const CaseResult& result : report.study.cases) keys.push_back(result.key);
  const CaseColumns columns(keys, {}, table);
  table.columns.push_back({"backend", false, true});
  for (const char* heading : {"n", "median", "min", "MAD", "GFLOP/s", "of peak", "workspace"}) {
    table.columns.push_back({heading, true});
  }
  table.columns.push_back({"verified"});
  table.columns.push_back({"error / limit", true});
  table.columns.push_back({"note"});
  for (const CaseResult& result : report.study.cases) {
    for (const Measurement& m : result.measurements) {
      auto row = columns.cells(result.key);
      row.emplace_back(m.backend, Style::backend);
      row.emplace_back(std::to_string(m.repetitions()));
      row.emplace_back(duration(m.median));
      row.emplace_back(duration(m.minimum));
      row.emplace_back(percent(m.deviation / m.median));
      row.emplace_back(or_nothing(m.gflops(), three_digits));
      row.emplace_back(or_nothing(m.fraction_of_peak(), percent));
      row.emplace_back(or_nothing(m.workspace_bytes, bytes));
      row.push_back(standing(m));
      row.emplace_back(or_nothing(m.max_error, three_digits));
      row.emplace_back(notes_of(m));
      table.rows.push_back(std::move(row));
    }
  }
  table.drop_last_column_if_empty();
  return table;
}

Table unverified(const Report& report) {
  struct Found {
    const CaseResult* result;
    const Measurement* measurement;
  };
  std::vector<Found> found;
  std::vector<Case> keys;
  for (const CaseResult& result : report.study.cases) {
    for (const Measurement& measurement : result.measurements) {
      if (measurement.may_be_ranked()) continue;
      found.push_back({&result, &measurement});
      keys.push_back(result.key);
    }
  }
  Table table;
  table.columns = {{"backend"}, {"verified"}, {"error / limit", true}};
  const CaseColumns columns(keys, {}, table);
  table.columns.push_back({"time (not ranked)", true});
  table.columns.push_back({"note"});
  for (const auto& [result, measurement] : found) {
    std::vector<Words> row = {Words(measurement->backend, Style::backend), standing(*measurement),
                              or_nothing(measurement->max_error, three_digits)};
    for (Words& cell : columns.cells(result->key)) row.push_back(std::move(cell));
    row.emplace_back(duration(measurement->median));
    row.emplace_back(notes_of(*measurement));
    table.rows.push_back(std::move(row));
  }
  table.drop_last_column_if_empty();
  return table;
}

Table refusals(const Report& report) {
  // One line for all phases of a case: they are refused together.
  std::map<Refusal, std::vector<std::string>> phases_of;
  for (Refusal refusal : report.study.refusals) {
    const std::string phase = refusal.key.phase;
    refusal.key.phase.clear();
    phases_of[refusal].push_back(phase);
  }
  std::vector<Case> keys;
  for (const auto& [refusal, phase] : phases_of) keys.push_back(refusal.key);
  Table table;
  table.columns = {{"backend"}};
  const CaseColumns columns(keys, {"phase"}, table);
  table.columns.push_back({"phases"});
  table.columns.push_back({"reason"});
  for (const auto& [refusal, phase] : phases_of) {
    std::vector<Words> row = {Words(refusal.backend, Style::backend)};
    for (Words& cell : columns.cells(refusal.key)) row.push_back(std::move(cell));
    row.emplace_back(phase.size() == std::size(all_phases) ? "all" : listed(phase));
    row.emplace_back(refusal.reason, refusal.failed ? Style::alarm : Style::plain);
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace bptt::report
