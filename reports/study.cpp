#include "reports/study.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "impls/api/error.hpp"
#include "reports/statistics.hpp"

namespace bptt::report {
namespace {

using results::ReadRow;
using results::Row;

/// From good to bad: rows of one measurement count as the worst of them.
constexpr std::string_view verdicts[] = {"full", "reduced", "no", "failed"};

std::string worse(const std::string& a, const std::string& b) {
  const auto rank = [](const std::string& verdict) {
    return std::find(std::begin(verdicts), std::end(verdicts), verdict);
  };
  return rank(a) < rank(b) ? b : a;
}

/// NaN is the worst of all errors.
double larger_error(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  return std::max(a, b);
}

void add(Measurement& measurement, const Row& row) {
  const Round round{row.run_id, row.repetition};
  measurement.seconds[round] = *row.seconds;
  if (row.loss) measurement.loss[round] = *row.loss;
  if (row.flops) measurement.flops = row.flops;
  if (row.peak_gflops) measurement.peak_gflops = row.peak_gflops;
  if (row.bound_seconds) measurement.bound_seconds = row.bound_seconds;
  if (row.reorder_seconds) measurement.reorder_seconds[round] = *row.reorder_seconds;
  if (row.live_steps) measurement.live_steps = row.live_steps;
  if (!row.padding.empty()) measurement.padding = row.padding;
  if (row.workspace_bytes) measurement.workspace_bytes = row.workspace_bytes;
  const std::string verdict = row.verified.empty() ? "no" : row.verified;
  measurement.verified =
      measurement.verified.empty() ? verdict : worse(measurement.verified, verdict);
  if (row.max_error) {
    measurement.max_error = measurement.max_error
                                ? larger_error(*measurement.max_error, *row.max_error)
                                : *row.max_error;
  }
  if (!row.note.empty()) measurement.notes.insert(row.note);
}

void summarise(Measurement& measurement) {
  std::vector<double> seconds;
  for (const auto& [round, value] : measurement.seconds) seconds.push_back(value);
  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  measurement.minimum = *least;
  measurement.maximum = *most;
  measurement.median = median(seconds);
  measurement.deviation = median_absolute_deviation(seconds, measurement.median);
}

class Builder {
 public:
  void add_row(const std::string& path, const ReadRow& read) {
    const Row& row = read.row;
    note_names(row);
    if (const auto reason = refusal_of(row)) {
      study_.refusals.insert({case_of(row), row.backend, *reason, row.verified == "failed"});
      return;
    }
    const std::string here = path + ':' + std::to_string(read.line);
    const auto [seen, is_new] =
        seen_.insert({{case_of(row), row.backend, {row.run_id, row.repetition}}, here});
    if (!is_new) {
      throw Error(ErrorKind::data,
                  here +
                      ": column 'repetition': expected each repetition of a measurement once; "
                      "got repetition " +
                      std::to_string(row.repetition) + " again, after " + seen->second);
    }
    Measurement& measurement = measurements_[case_of(row)][row.backend];
    measurement.backend = row.backend;
    add(measurement, row);
  }

  Study finish() {
    for (auto& [key, by_backend] : measurements_) {
      CaseResult result{key, {}};
      for (const std::string& backend : study_.backends) {
        const auto found = by_backend.find(backend);
        if (found == by_backend.end()) continue;
        summarise(found->second);
        result.measurements.push_back(std::move(found->second));
      }
      study_.cases.push_back(std::move(result));
    }
    return std::move(study_);
  }

 private:
  void note_names(const Row& row) {
    auto& names = study_.backends;
    if (std::find(names.begin(), names.end(), row.backend) == names.end()) {
      names.push_back(row.backend);
    }
    if (row.origin == "peer") study_.peers.insert(row.backend);
    study_.run_ids.insert(row.run_id);
    study_.hosts.insert(row.host);
    study_.commits.insert(row.commit);
    if (!row.backend_version.empty()) study_.versions[row.backend].insert(row.backend_version);
  }

  Study study_;
  std::map<Case, std::map<std::string, Measurement>> measurements_;
  std::map<std::tuple<Case, std::string, Round>, std::string> seen_;
};

}  // namespace

std::optional<double> Measurement::gflops() const {
  if (!flops) return std::nullopt;
  return *flops / median / 1e9;
}

std::optional<double> Measurement::fraction_of_peak() const {
  if (!gflops() || !peak_gflops) return std::nullopt;
  return *gflops() / *peak_gflops;
}

std::optional<double> Measurement::fraction_of_bound() const {
  if (!bound_seconds) return std::nullopt;
  return *bound_seconds / median;
}

bool Measurement::is_faster_than_bound() const {
  return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
    return note.find(results::faster_than_bound) != std::string::npos;
  });
}

std::optional<double> Measurement::reordering() const {
  std::vector<double> fractions;
  for (const auto& [round, spent] : reorder_seconds) fractions.push_back(spent / seconds.at(round));
  if (fractions.empty()) return std::nullopt;
  return report::median(fractions);
}

const Measurement* CaseResult::find(const std::string& backend) const {
  for (const Measurement& measurement : measurements) {
    if (measurement.backend == backend) return &measurement;
  }
  return nullptr;
}

const CaseResult* Study::find(const Case& key) const {
  const auto found =
      std::lower_bound(cases.begin(), cases.end(), key,
                       [](const CaseResult& result, const Case& k) { return result.key < k; });
  return found != cases.end() && found->key == key ? &*found : nullptr;
}

std::vector<const CaseResult*> Study::of(std::string_view workload) const {
  std::vector<const CaseResult*> found;
  for (const CaseResult& result : cases) {
    if (result.key.workload == workload) found.push_back(&result);
  }
  return found;
}

std::vector<const CaseResult*> Study::of(std::string_view workload, std::string_view phase) const {
  std::vector<const CaseResult*> found = of(workload);
  std::erase_if(found, [&](const CaseResult* result) { return result->key.phase != phase; });
  return found;
}

Study study_of(const std::vector<Source>& sources) {
  Builder builder;
  for (const Source& source : sources) {
    for (const ReadRow& read : source.rows) builder.add_row(source.path, read);
  }
  return builder.finish();
}

}  // namespace bptt::report
