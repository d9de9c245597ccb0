// For tests: rows of small, made-up studies.
#pragma once

#include <string>
#include <vector>

#include "reports/study.hpp"

namespace bptt::report {

/// A good measurement of one second by `backend`; change what matters to the test.
inline results::Row sample_row(const std::string& backend, Index repetition = 0,
                               double seconds = 1.0) {
  results::Row row;
  row.run_id = "run";
  row.host = "host";
  row.commit = "abc";
  row.backend = backend;
  row.cell = "lstm";
  row.dtype = "f32";
  row.T = 10, row.B = 4, row.I = 8, row.H = 8;
  row.phase = "train_step";
  row.repetition = repetition;
  row.seconds = seconds;
  row.flops = 2e9;
  row.peak_gflops = 10;
  row.verified = "full";
  row.workload = "layer";
  return row;
}

/// The rows as if read from "r.csv", the first in line 2.
inline Study study_of_rows(const std::vector<results::Row>& rows) {
  Source source{"r.csv", {}};
  for (const results::Row& row : rows) source.rows.push_back({row, source.rows.size() + 2});
  return study_of({source});
}

/// Repetitions of one backend with these times.
inline void append(std::vector<results::Row>& rows, const std::string& backend,
                   const std::vector<double>& seconds) {
  for (std::size_t k = 0; k < seconds.size(); ++k) {
    rows.push_back(sample_row(backend, static_cast<Index>(k), seconds[k]));
  }
}

}  // namespace bptt::report
