// For tests: a row with every field filled.
#pragma once

#include "bench/results/row.hpp"

namespace bptt::results {

inline Row sample_row() {
  Row row;
  row.run_id = "run-1";
  row.time = "2026-01-02T03:04:05Z";
  row.host = "host";
  row.commit = "abc";
  row.backend = "tbb";
  row.backend_version = "2021.8";
  row.cell = "gru";
  row.options = "update=keep";
  row.dtype = "f32";
  row.T = 50, row.B = 64, row.I = 128, row.H = 256;
  row.threads = 2;
  row.phase = "train_step";
  row.repetition = 3;
  row.seconds = 0.1 + 0.2;  // 17 digits: shows whether numbers round-trip
  row.flops = 1e9;
  row.gflops = 1 / 0.3;
  row.peak_gflops = 250;
  row.fraction_of_peak = 0.0133;
  row.workspace_bytes = 1 << 20;
  row.peak_rss_bytes = 9007199254740993;
  row.verified = "full";
  row.max_error = 0.5;
  row.noise = 1e-300;
  row.note = "plain";
  row.workload = "layer";
  row.items_per_second = 1e6;
  row.loss = 2.5;
  row.origin = "own";
  row.reorder_seconds = 1e-3;
  row.excluded_seconds = 2e-3;
  row.bytes = 4e6;
  row.bound_seconds = 0.25;
  row.fraction_of_bound = 0.8;
  row.implementation = "jit:blocked";
  row.stack = "composed";
  row.live_steps = 1600;
  row.padding = "skipped";
  return row;
}

}  // namespace bptt::results
