// While a plan with n threads runs, no more than n threads of the process compute, whoever ran
// before in the same process: no backend leaves a pool spinning beside the next one's.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"

namespace bptt {
namespace {

using Seconds = std::chrono::duration<double>;

/// Nanoseconds each thread of this process has computed so far, by its id: the first number of its
/// schedstat (Documentation/scheduler/sched-stats.rst).
std::map<int, double> computed() {
  std::map<int, double> times;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream file(task.path() / "schedstat");
    double nanoseconds = 0;
    if (file >> nanoseconds) times[std::atoi(task.path().filename().c_str())] = nanoseconds;
  }
  return times;
}

/// A layer with its tensors, ready to run.
struct Layer {
  Layer(const Backend& backend, const Spec& spec, int threads)
      : plan(backend.plan<float>(spec, {.threads = threads})), tensors(spec) {}
  void run_for(double seconds) {
    const auto start = std::chrono::steady_clock::now();
    do {
      plan->forward(tensors.params, tensors.in, tensors.out);
      plan->backward(tensors.params, tensors.in, tensors.dout, tensors.grads);
    } while (Seconds(std::chrono::steady_clock::now() - start).count() < seconds);
  }
  std::unique_ptr<Plan<float>> plan;
  Problem<float> tensors;
};

const Spec spec{parse_cell("lstm"), {20, 32, 64, 64}};
constexpr int thread_counts[] = {1, 2};

/// Until no thread but this one computes; false where one still does after far longer than any pool
/// spins when nobody uses it.
bool pools_sleep() {
  const int self = static_cast<int>(::getpid());
  for (int tries = 0; tries < 100; ++tries) {
    auto before = computed();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    auto after = computed();
    before.erase(self);
    after.erase(self);
    if (before == after) return true;
  }
  return false;
}

bool can_run(const Backend& backend, int threads) {
  return !backend.refusal(spec, Dtype::f32, {.threads = threads});
}

/// Threads that computed for a fifth or more of what the busiest did while the layer ran. A share,
/// of enough of its time, so that a loaded machine, which gives less to all, changes nothing.
int busy_threads(Layer& layer) {
  const auto before = computed();
  constexpr double enough = 50e6;
  double most = 0;
  std::map<int, double> spent;
  for (int tries = 0; most < enough && tries < 100; ++tries) {
    layer.run_for(0.02);
    for (const auto& [id, time] : computed()) {
      const auto earlier = before.find(id);
      spent[id] = time - (earlier == before.end() ? 0 : earlier->second);
      most = std::max(most, spent[id]);
    }
  }
  int busy = 0;
  for (const auto& [id, time] : spent) busy += time >= most / 5 ? 1 : 0;
  return busy;
}

TEST(BusyThreads, AreNoMoreThanAskedForWhoeverRanBefore) {
  if (computed().empty()) GTEST_SKIP() << "this system does not tell the time of threads";
  for (const Backend* backend : backends()) {
    for (const int threads : thread_counts) {
      if (!can_run(*backend, threads)) continue;
      Layer layer(*backend, spec, threads);
      layer.run_for(0);
      for (const Backend* other : backends()) {
        if (can_run(*other, 2)) Layer(*other, spec, 2).run_for(0);
      }
      ASSERT_TRUE(pools_sleep()) << "a pool never sleeps";
      EXPECT_LE(busy_threads(layer), threads) << backend->name() << ", " << threads << " threads";
    }
  }
}

TEST(BusyThreads, ASpinningThreadIsCounted) {
  if (computed().empty()) GTEST_SKIP() << "this system does not tell the time of threads";
  Layer layer(*backends().front(), spec, 1);
  ASSERT_TRUE(pools_sleep());
  std::atomic<bool> stop{false};
  std::thread spinning([&] {
    while (!stop) {
    }
  });
  EXPECT_EQ(busy_threads(layer), 2);
  stop = true;
  spinning.join();
}

}  // namespace
}  // namespace bptt
