// The results file being written, and the fields that all rows of a run share.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/grid.hpp"
#include "bench/results/csv_writer.hpp"
#include "bench/results/row.hpp"
#include "bench/verdict.hpp"

namespace bptt::bench {

/// GFLOP/s of a GEMM by dtype and threads.
using Peaks = std::map<std::pair<Dtype, int>, double>;

/// One repetition: what was measured, before anything is derived from it.
struct Measurement {
  Index repetition = 0;
  double seconds = 0;
  std::string time;  ///< when it ended, UTC
  std::optional<double> loss;
  std::optional<double> reorder_seconds{}, excluded_seconds{};  ///< as in Row
};

/// A case, a backend and a phase, and what is known about them beside the measurements.
struct Subject {
  const Case& c;
  const Backend& backend;
  Phase phase;
  std::string workload;
  double flops = 0;
  std::optional<std::size_t> workspace_bytes;
  Verdict verdict;
  std::string note;
  std::string options{};         ///< of the workload, where they make it another case; else empty
  std::optional<Index> items{};  ///< steps of sequences that a call gets done; none: the live ones
  std::optional<double> bytes{}, bound_seconds{};  ///< of a call (bench/bound.hpp)
  std::string implementation{};                    ///< as the plan tells it
};

class Journal {
 public:
  /// Opens the file anew. Throws Error(unavailable) where it cannot be written.
  explicit Journal(const std::string& path);

  /// One row for each measurement.
  void write(const Subject&, const std::vector<Measurement>&);
  /// The row of a subject that is not measured.
  void write_refusal(const Subject&, const std::string& reason);

  /// For rows written from now on.
  void set_peaks(Peaks peaks) { peaks_ = std::move(peaks); }

  /// Of a case's dtype and threads, where it was measured.
  std::optional<double> peak(const Case&) const;

  const std::string& path() const { return path_; }
  const std::string& run_id() const { return shared_.run_id; }
  Index measured_rows() const { return measured_; }
  Index refused_rows() const { return refused_; }

 private:
  results::Row row_of(const Subject&) const;

  std::string path_;
  results::CsvWriter writer_;
  results::Row shared_;
  Peaks peaks_;
  Index measured_ = 0, refused_ = 0;
};

}  // namespace bptt::bench
