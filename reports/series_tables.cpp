// Tables of what the page draws as lines: sweeps along an extent, and trainings.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "reports/case_columns.hpp"
#include "reports/format.hpp"
#include "reports/ranking.hpp"
#include "reports/report.hpp"
#include "reports/training.hpp"

namespace bptt::report {
namespace {

using Style = Text::Style;

constexpr std::size_t most_steps_listed = 20;

std::string speed_of(const Measurement& m) {
  return m.gflops() ? duration(m.median) + " · " + three_digits(*m.gflops()) : duration(m.median);
}

std::vector<Case> keys_of(const std::vector<Training>& trainings) {
  std::vector<Case> keys;
  for (const Training& training : trainings) keys.push_back(training.result->key);
  return keys;
}

/// Every step where there are few, else an even choice that keeps the first and the last.
std::vector<Index> listed_steps(const Training& training) {
  std::set<Index> all;
  for (const Curve& curve : training.curves) all.insert(curve.steps.begin(), curve.steps.end());
  const std::vector<Index> steps(all.begin(), all.end());
  if (steps.size() <= most_steps_listed) return steps;
  std::vector<Index> chosen;
  for (std::size_t i = 0; i < most_steps_listed; ++i) {
    chosen.push_back(steps[i * (steps.size() - 1) / (most_steps_listed - 1)]);
  }
  return chosen;
}

/// More digits than elsewhere: curves that agree differ in the last of them.
std::string loss_text(double loss) {
  if (std::isnan(loss)) return nothing;
  char digits[400];
  std::snprintf(digits, sizeof digits, "%.5f", loss);
  return digits;
}

std::string deviation_text(const Deviation& deviation) {
  return three_digits(deviation.nats) + " nats at step " + std::to_string(deviation.step) + " (" +
         deviation.backend + ", " + deviation.other + ")";
}

}  // namespace

Table sweep_table(const Report& report, const Axis& axis) {
  Table table;
  table.caption = "Median time · GFLOP/s of each backend.";
  table.columns = {{"cell", false, true},
                   {"dtype", false, true},
                   {"phase", false, true},
                   {"fixed", false, true},
                   {std::string(axis.name), true}};
  for (const std::string& backend : report.study.backends) table.columns.push_back({backend, true});
  const bool several_hosts = report.study.hosts.size() > 1;
  for (const Sweep& sweep : sweeps_along(axis, report.study)) {
    const std::string fixed = sweep.fixed(several_hosts);
    for (const CaseResult* point : sweep.points) {
      const Case& c = point->key;
      std::vector<Words> row = {c.cell, c.dtype, c.phase, fixed, std::to_string(c.*axis.extent)};
      for (const std::string& backend : report.study.backends) {
        const Measurement* m = point->find(backend);
        row.push_back(m == nullptr         ? Words(nothing)
                      : m->may_be_ranked() ? Words(speed_of(*m))
                                           : standing(*m));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table training_table(const Report& report) {
  const std::vector<Training> trainings = trainings_of(report.study);
  Table table;
  const CaseColumns columns(keys_of(trainings), {"workload", "phase"}, table);
  table.columns.push_back({"backend"});
  for (const std::string& heading :
       {std::string("steps"), std::string("first loss"), std::string("final loss"),
        std::string("characters/s"), std::string("first step"), std::string("median step"),
        "speed-up over " + report.baseline}) {
    table.columns.push_back({heading, true});
  }
  table.columns.push_back({"verified"});
  table.columns.push_back({"largest distance between loss curves"});
  table.columns.push_back({"note"});
  for (const Training& training : trainings) {
    for (const Curve& curve : training.curves) {
      const Measurement& m = *curve.measurement;
      const double characters =
          training.characters_per_step() * static_cast<double>(curve.steps.size());
      const auto gain = m.backend == report.baseline
                            ? std::nullopt
                            : speedup(report.study, *training.result, m.backend, report.baseline);
      auto row = columns.cells(training.result->key);
      row.emplace_back(training.name_of(curve), Style::backend);
      row.emplace_back(std::to_string(curve.steps.size()));
      row.emplace_back(loss_text(curve.loss.front()));
      row.emplace_back(loss_text(curve.loss.back()));
      row.emplace_back(three_digits(characters / curve.total_seconds()));
      row.emplace_back(duration(curve.seconds.front()));
      row.emplace_back(duration(median(curve.seconds)));
      row.emplace_back(or_nothing(gain, with_interval));
      row.push_back(standing(m));
      row.emplace_back(or_nothing(training.deviation, deviation_text));
      row.emplace_back(notes_of(m));
      table.rows.push_back(std::move(row));
    }
  }
  table.drop_last_column_if_empty();
  return table;
}

Table loss_table(const Report& report) {
  const std::vector<Training> trainings = trainings_of(report.study);
  Table table;
  table.caption = "Loss in nats per character, at up to " + std::to_string(most_steps_listed) +
                  " steps, evenly chosen.";
  const CaseColumns columns(keys_of(trainings), {"workload", "phase"}, table);
  table.columns.push_back({"step", true});
  std::vector<std::string> names;
  for (const Training& training : trainings) {
    for (const Curve& curve : training.curves) {
      const std::string name = training.name_of(curve);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  for (const std::string& name : names) table.columns.push_back({name, true});
  for (const Training& training : trainings) {
    for (const Index step : listed_steps(training)) {
      auto row = columns.cells(training.result->key);
      row.emplace_back(std::to_string(step));
      const std::size_t first = row.size();
      row.resize(first + names.size(), Words(nothing));
      for (const Curve& curve : training.curves) {
        const auto at = std::lower_bound(curve.steps.begin(), curve.steps.end(), step);
        if (at == curve.steps.end() || *at != step) continue;
        const double loss = curve.loss[static_cast<std::size_t>(at - curve.steps.begin())];
        const auto name = std::find(names.begin(), names.end(), training.name_of(curve));
        row[first + static_cast<std::size_t>(name - names.begin())] = loss_text(loss);
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace bptt::report
