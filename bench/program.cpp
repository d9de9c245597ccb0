#include "bench/program.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>

#include "bench/char_lm/char_lm.hpp"
#include "bench/doctor/costs.hpp"
#include "bench/doctor/doctor.hpp"
#include "bench/dry_run.hpp"
#include "bench/environment.hpp"
#include "bench/gemm_peak.hpp"
#include "bench/sweep.hpp"
#include "bench/table.hpp"
#include "impls/api/registry.hpp"
#include "impls/linalg/blas_kernels.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/program/interrupt.hpp"
#include "impls/threads/affinity.hpp"
#include "impls/threads/denormals.hpp"

namespace bptt::bench {
namespace {

/// The highest of several tries with pauses between them: what else runs on the machine can only
/// hide what it does at best, and may be over by the next try.
Peaks measure_peaks(const Settings& settings) {
  constexpr int tries = 5;
  constexpr std::chrono::milliseconds pause(50);
  Peaks peaks;
  for (int attempt = 0; attempt < tries && !program::interrupted(); ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(pause);
    for (const Dtype dtype : settings.dtypes) {
      for (const int threads : settings.threads) {
        if (threads > usable_processors()) continue;
        double& peak = peaks[{dtype, threads}];
        peak = std::max(peak, measure_gemm_peak(dtype, threads));
      }
    }
  }
  return peaks;
}

void warn(const std::vector<Finding>& findings, std::ostream& err) {
  for (const Finding& finding : findings) {
    if (finding.severity == Finding::Severity::warning) {
      err << "bptt-bench: warning: " << one_line(finding) << '\n';
    }
  }
}

Limits limits_of(const Settings& settings, const System& system) {
  return settings.limits && !program::interrupted()
             ? measure_limits(settings.dtypes, settings.threads, system.caches,
                              settings.bind_threads)
             : Limits();
}

std::map<std::pair<Dtype, int>, double> in_flops(const Peaks& gflops) {
  std::map<std::pair<Dtype, int>, double> flops;
  for (const auto& [key, value] : gflops) flops[key] = value * 1e9;
  return flops;
}

int exit_code_of(const Outcome& outcome, const Journal& journal) {
  if (outcome.interrupted) return program::interrupted_exit_code;
  if (outcome.wrong) return program::numerically_wrong;
  if (outcome.broken) return program::not_available;
  if (outcome.inconclusive) return program::inconclusive;
  return journal.measured_rows() == 0 && !outcome.used ? program::nothing_done : program::good;
}

void print_peaks(const Peaks& peaks, std::ostream& out) {
  for (const auto& [key, gflops] : peaks) {
    out << "GEMM peak " << name_of(key.first) << ", " << key.second
        << (key.second == 1 ? " thread: " : " threads: ") << number_text(gflops) << " GFLOP/s\n";
  }
  out << '\n';
}

int measure(const Settings& settings, const Verifier& verifier, std::vector<std::string> command,
            std::ostream& out, std::ostream& err) {
  const bool char_lm = settings.workload == Settings::Workload::char_lm;
  // What can fail for a reason of the user's fails before anything is measured.
  std::optional<Corpus> corpus;
  std::optional<CharLmFiles> files;
  if (char_lm) {
    corpus = Corpus::read(settings.training.text);
    files.emplace(settings, *corpus);
  }
  const program::InterruptGuard guard;
  Journal journal(settings.output);
  Environment environment;
  environment.facts = inspect();
  environment.command = std::move(command);
  environment.preset = settings.preset;
  environment.threads_bound = settings.bind_threads;
  write_environment(environment, journal);

  // OpenBLAS has one thread wherever nobody asks for more: the dense head of char-lm, probes.
  const linalg::BlasThreads one_thread(1);
  if (settings.bind_threads) {
    threads::bind_this_thread(0);
    linalg::bind_blas_threads();
  }
  environment.peaks = measure_peaks(settings);
  journal.set_peaks(environment.peaks);
  environment.limits = limits_of(settings, environment.facts.system);
  Costs costs;
  costs.better_kernels = cost_of_kernels(environment.facts, gemm_rate_of_child);
  add_scaling(environment.limits, costs);
  environment.findings = examine(environment.facts, costs);
  warn(environment.findings, err);
  if (settings.limits && !char_lm) {
    environment.gemms = gemms_of(expand(settings));
    measure_gemms(environment.gemms, in_flops(environment.peaks));
  }
  write_environment(environment, journal);
  print_peaks(environment.peaks, out);

  Outcome outcome;
  if (char_lm) {
    outcome = run_char_lm(settings, *corpus, *files, verifier, *backends().front(), journal, out);
  } else {
    CostModel cost;
    outcome = run_sweep(settings, verifier, cost, journal, out, environment.limits);
  }
  if (!outcome.interrupted) {
    environment.peaks_at_end = measure_peaks(settings);
    environment.limits_at_end = limits_of(settings, environment.facts.system);
  }
  write_environment(environment, journal);

  out << settings.output << ": " << journal.measured_rows() << " rows measured, "
      << journal.refused_rows() << " refused" << (outcome.interrupted ? ", interrupted" : "")
      << '\n';
  if (!outcome.interrupted && journal.measured_rows() == 0 && !outcome.used) {
    err << "bptt-bench: nothing was measured; the rows' notes say why\n";
  }
  if (outcome.broken) {
    err << "bptt-bench: something failed unexpectedly; the rows' notes say what\n";
  }
  if (outcome.inconclusive && !outcome.wrong) {
    err << "bptt-bench: a training is inconclusive; the table and the rows' notes say why\n";
  }
  if (outcome.wrong) err << "bptt-bench: a check failed; the table and the rows' notes say which\n";
  return exit_code_of(outcome, journal);
}

}  // namespace

int run_program(int argc, const char* const* argv, const Verifier& verifier, std::ostream& out,
                std::ostream& err) {
  // The same for every backend, and for every thread that any of them starts.
  threads::keep_denormals();
  const auto line = command_line();
  const auto parsed = line.parse(argc, argv);
  if (!parsed) return program::good;
  if (parsed->count("list-backends") != 0) return print_backends(out), program::good;
  if (parsed->count("list-presets") != 0) return print_presets(out), program::good;
  if (parsed->count("doctor") != 0) {
    return run_doctor(*parsed, line.given(argc, argv), out);
  }
  const Settings settings = settings_of(line, *parsed, line.given(argc, argv));
  if (settings.gemm_peak) {
    for (const auto& [key, gflops] : measure_peaks(settings)) {
      out << name_of(key.first) << ' ' << key.second << ' ' << number_text(gflops) << '\n';
    }
    return program::good;
  }
  if (settings.dry_run) {
    CostModel cost;
    if (settings.workload == Settings::Workload::char_lm) {
      const Corpus corpus = Corpus::read(settings.training.text);
      print_dry_run(as_sweep(settings), char_lm_cases(settings, corpus), cost, out);
    } else {
      print_dry_run(settings, expand(settings), cost, out);
    }
    return program::good;
  }
  return measure(settings, verifier, {argv, argv + argc}, out, err);
}

}  // namespace bptt::bench
