#include "bench/program.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>

#include "bench/char_lm/char_lm.hpp"
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

void warn(const System& system, std::ostream& err) {
  constexpr double idle = 0.2;
  if (system.busy_processors && *system.busy_processors > idle) {
    err << "bptt-bench: warning: others keep " << number_text(*system.busy_processors) << " of "
        << system.online_processors << " processors busy; times will be too long\n";
  }
  if (const auto blas = linalg::blas_kernels(); !blas.better.empty()) {
    err << "bptt-bench: warning: OpenBLAS runs its " << blas.live << " kernels (chosen by "
        << blas.how << "); OPENBLAS_CORETYPE=" << blas.better << " would suit this CPU better\n";
  }
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
  environment.system = inspect_system();
  environment.command = std::move(command);
  environment.preset = settings.preset;
  environment.threads_bound = settings.bind_threads;
  write_environment(environment, journal);
  warn(environment.system, err);

  // OpenBLAS has one thread wherever nobody asks for more: the dense head of char-lm, probes.
  const linalg::BlasThreads one_thread(1);
  if (settings.bind_threads) {
    threads::bind_this_thread(0);
    linalg::bind_blas_threads();
  }
  environment.peaks = measure_peaks(settings);
  journal.set_peaks(environment.peaks);
  write_environment(environment, journal);
  print_peaks(environment.peaks, out);

  Outcome outcome;
  if (char_lm) {
    outcome = run_char_lm(settings, *corpus, *files, verifier, *backends().front(), journal, out);
  } else {
    CostModel cost;
    outcome = run_sweep(settings, verifier, cost, journal, out);
  }
  if (!outcome.interrupted) environment.peaks_at_end = measure_peaks(settings);
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
  const auto line = command_line();
  const auto parsed = line.parse(argc, argv);
  if (!parsed) return program::good;
  if (parsed->count("list-backends") != 0) return print_backends(out), program::good;
  if (parsed->count("list-presets") != 0) return print_presets(out), program::good;
  const Settings settings = settings_of(line, *parsed, line.given(argc, argv));
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
