#include "bench/journal.hpp"

#include <algorithm>

#include <unistd.h>

#include "bench/statistics.hpp"
#include "bench/system.hpp"
#include "impls/program/command_line.hpp"

namespace bptt::bench {
namespace {

/// What a fraction of the peak can be by the noise of the two measurements.
constexpr double noise_of_peak = 1.02;
constexpr const char* above_peak =
    "above the measured peak: the machine was busy when the peak was measured";

/// How much faster than its bound a call is said to be only where noise does not explain it: three
/// standard deviations of the case's repetitions (of which the median absolute deviation is two
/// thirds), and what two measurements of the same limits differ by on a quiet machine.
double noise_of_bound(std::optional<double> noise) {
  return std::max(0.02, 4.5 * noise.value_or(0));
}
constexpr const char* what_that_means =
    ": the machine was busy when its limits were measured, or the bound's model does not hold "
    "here, "
    "or the call does not do all of its work (docs/measuring.md)";

/// How the case is run, as far as it is a case of its own thereby: ":recompute=gates".
std::string options_of(const Subject& subject) {
  std::string options;
  if (const Recompute recompute = subject.c.exec.recompute; recompute != Recompute::none) {
    options += ":recompute=" + std::string(name_of(recompute));
  }
  if (subject.c.mode != Mode::full_layer) {
    options += ":mode=" + std::string(name_of(subject.c.mode));
  }
  if (subject.c.lengths.given()) options += ":lengths=" + subject.c.lengths.name();
  return options + (subject.options.empty() ? "" : ":" + subject.options);
}

/// How several layers or both directions were run.
std::string stack_of(const Backend& backend, const Case& run) {
  if (run.spec.is_single()) return "";
  return backend.plans_whole(run.spec, run.dtype, run.exec) ? "whole" : "composed";
}

void append(std::string& note, const std::string& more) {
  note += (note.empty() ? "" : "; ") + more;
}

/// What was done with the steps beyond the sequences' lengths.
void tell_padding(const Case& run, results::Row& row) {
  if (!run.lengths.given()) return;
  row.padding = is_padded(run) ? "computed" : "skipped";
  if (!is_padded(run)) return;
  const Shape& shape = run.spec.shape;
  append(row.note, "padded: the backend takes no lengths; it computed all " +
                       std::to_string(shape.T * shape.B) + " steps, of which " +
                       std::to_string(*row.live_steps) + " count");
}

}  // namespace

Journal::Journal(const std::string& path) : path_(path), writer_(path) {
  shared_.time = utc_now();
  shared_.host = host_name();
  shared_.commit = program::source_commit();
  // Two runs that start in the same second on the same host differ in their process.
  shared_.run_id = shared_.time + "-" + shared_.host + "-" + std::to_string(getpid());
}

std::optional<double> Journal::peak(const Case& c) const {
  const auto found = peaks_.find({c.dtype, c.exec.threads});
  return found == peaks_.end() ? std::nullopt : std::optional(found->second);
}

results::Row Journal::row_of(const Subject& subject) const {
  results::Row row = shared_;
  const StackSpec& spec = subject.c.spec;
  const Shape& shape = spec.shape;
  row.backend = subject.backend.name();
  row.backend_version = subject.backend.version();
  const std::string spelled = to_string(spec.cell) + options_of(subject);
  const auto colon = spelled.find(':');
  row.cell = spelled.substr(0, colon);
  if (colon != std::string::npos) row.options = spelled.substr(colon + 1);
  row.dtype = name_of(subject.c.dtype);
  row.T = shape.T;
  row.B = shape.B;
  row.I = shape.I;
  row.H = shape.H;
  row.layers = spec.layers;
  row.directions = spec.directions();
  row.threads = subject.c.exec.threads;
  row.phase = name_of(subject.phase);
  row.flops = subject.flops;
  row.workload = subject.workload;
  row.peak_gflops = peak(subject.c);
  if (subject.workspace_bytes) row.workspace_bytes = static_cast<Index>(*subject.workspace_bytes);
  row.verified = subject.verdict.verified;
  row.max_error = subject.verdict.max_error;
  row.note = subject.note;
  row.origin = subject.backend.is_peer() ? "peer" : "own";
  row.bytes = subject.bytes;
  row.bound_seconds = subject.bound_seconds;
  row.live_steps = live_steps(subject.c);
  return row;
}

void Journal::write(const Subject& subject, const std::vector<Measurement>& measurements) {
  results::Row row = row_of(subject);
  std::vector<double> seconds;
  for (const Measurement& m : measurements) seconds.push_back(m.seconds);
  row.noise = relative_noise(seconds);
  row.implementation = subject.implementation;
  const Case run = as_run(subject.backend, subject.c);
  row.stack = stack_of(subject.backend, run);
  tell_padding(run, row);
  const std::string note = row.note;
  const Index items = subject.items.value_or(*row.live_steps);
  for (const Measurement& m : measurements) {
    row.repetition = m.repetition;
    row.time = m.time;
    row.seconds = m.seconds;
    row.gflops = subject.flops / m.seconds / 1e9;
    row.note = note;
    if (row.peak_gflops) {
      row.fraction_of_peak = *row.gflops / *row.peak_gflops;
      if (*row.fraction_of_peak > noise_of_peak) {
        append(row.note, above_peak);
      }
    }
    row.items_per_second = static_cast<double>(items) / m.seconds;
    row.peak_rss_bytes = peak_rss_bytes();
    row.loss = m.loss;
    row.reorder_seconds = m.reorder_seconds;
    row.excluded_seconds = m.excluded_seconds;
    if (row.bound_seconds) {
      row.fraction_of_bound = *row.bound_seconds / m.seconds;
      if (*row.fraction_of_bound > 1 + noise_of_bound(row.noise)) {
        append(row.note, std::string(results::faster_than_bound) + what_that_means);
      }
    }
    writer_.write(row);
    ++measured_;
  }
}

void Journal::write_refusal(const Subject& subject, const std::string& reason) {
  results::Row row = row_of(subject);
  row.time = utc_now();
  row.note = std::string(results::refused_prefix) + reason;
  writer_.write(row);
  ++refused_;
}

}  // namespace bptt::bench
