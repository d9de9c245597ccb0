// Results files turned into measurements: rows grouped by case and backend, refusals set apart.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/results/csv_reader.hpp"
#include "reports/case.hpp"

namespace bptt::report {

/// Repetition k of all backends of a case was measured side by side in round k of a run.
using Round = std::pair<std::string, Index>;  // run_id, repetition

/// One backend on one case.
struct Measurement {
  std::string backend;
  std::map<Round, double> seconds;  ///< never empty
  std::map<Round, double> loss;     ///< char-lm
  double median = 0, minimum = 0, maximum = 0,
         deviation = 0;                     ///< seconds; median absolute deviation
  std::map<Round, double> reorder_seconds;  ///< of `seconds`, in packing and reordering weights
  std::optional<double> flops, peak_gflops, bound_seconds;
  std::optional<Index> workspace_bytes, live_steps;
  std::string padding;   ///< skipped | computed; empty: no lengths
  std::string verified;  ///< the worst of its rows: full | reduced | no | failed
  std::optional<double> max_error;
  std::set<std::string> notes;

  std::size_t repetitions() const { return seconds.size(); }
  /// From the median time; nothing where the file counts no FLOPs.
  std::optional<double> gflops() const;
  std::optional<double> fraction_of_peak() const;
  /// The least time by a model and the limits of its run, over the median time.
  std::optional<double> fraction_of_bound() const;
  /// Whether a note of one of its rows says that it took less than its bound allows.
  bool is_faster_than_bound() const;
  /// Median of the rounds' fractions of time spent in packing and reordering weights.
  std::optional<double> reordering() const;
  /// What was not verified is never reported as fast.
  bool may_be_ranked() const { return verified == "full" || verified == "reduced"; }
};

struct CaseResult {
  Case key;
  std::vector<Measurement> measurements;  ///< in the order of Study::backends
  const Measurement* find(const std::string& backend) const;
};

struct Refusal {
  Case key;
  std::string backend, reason;
  bool failed = false;  ///< refused because verification found it wrong
  auto operator<=>(const Refusal&) const = default;
};

struct Study {
  std::vector<std::string> backends;  ///< in order of first appearance
  std::vector<CaseResult> cases;      ///< in the order of Case
  std::set<Refusal> refusals;
  std::set<std::string> run_ids, hosts, commits;
  std::map<std::string, std::set<std::string>> versions;  ///< of each backend
  std::set<std::string> peers;  ///< backends that are other libraries behind this suite's interface

  const CaseResult* find(const Case&) const;
  std::vector<const CaseResult*> of(std::string_view workload) const;
  std::vector<const CaseResult*> of(std::string_view workload, std::string_view phase) const;
};

/// A results file that was read.
struct Source {
  std::string path;
  std::vector<results::ReadRow> rows;
};

/// Throws Error(data) naming both lines where the same repetition stands twice, as when a file was
/// given twice: counted double it would make every interval too narrow.
Study study_of(const std::vector<Source>&);

/// The phases a report goes through, the most telling first.
inline constexpr std::string_view all_phases[] = {"train_step", "forward", "backward"};

}  // namespace bptt::report
