#include "bench/engine.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

#include <benchmark/benchmark.h>

namespace bptt::bench {
namespace {

/// Whether a run ended by SkipWithError: `error_occurred` until Google Benchmark 1.7, `skipped`
/// since 1.8.
template <class Run>
bool failed(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred;
  } else {
    return run.skipped != decltype(run.skipped){};
  }
}

/// Keeps the seconds of the one run there is, and prints nothing.
class Capture final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || failed(run) || run.iterations <= 0) continue;
      seconds = run.real_accumulated_time / static_cast<double>(run.iterations);
    }
  }
  std::optional<double> seconds;
};

using Loop = std::function<void(benchmark::State&)>;

double run(const std::string& name, Index calls, bool manual_time, const Loop& loop) {
  std::exception_ptr failure;
  benchmark::ClearRegisteredBenchmarks();
  auto* registered = benchmark::RegisterBenchmark(name.c_str(), [&](benchmark::State& state) {
    // Google Benchmark does not expect exceptions: carried past it, and thrown again below.
    try {
      loop(state);
    } catch (...) {
      failure = std::current_exception();
      state.SkipWithError("exception");
    }
  });
  registered->Iterations(calls)->Repetitions(1)->Unit(benchmark::kSecond);
  if (manual_time) {
    registered->UseManualTime();
  } else {
    registered->UseRealTime();
  }
  Capture capture;
  // The filter is given: without one the library would take it from the user's environment.
  benchmark::RunSpecifiedBenchmarks(&capture, nullptr, ".");
  benchmark::ClearRegisteredBenchmarks();
  if (failure) std::rethrow_exception(failure);
  if (!capture.seconds) throw std::logic_error("Google Benchmark did not report " + name);
  return *capture.seconds;
}

}  // namespace

double time_calls(const std::string& name, Index calls, const std::function<void()>& body) {
  return run(name, calls, false, [&](benchmark::State& state) {
    for (auto _ : state) body();
  });
}

double time_calls(const std::string& name, Index calls, const std::function<void()>& before,
                  const std::function<void()>& body) {
  return run(name, calls, true, [&](benchmark::State& state) {
    for (auto _ : state) {
      before();
      const auto start = std::chrono::steady_clock::now();
      body();
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      state.SetIterationTime(elapsed.count());
    }
  });
}

}  // namespace bptt::bench
