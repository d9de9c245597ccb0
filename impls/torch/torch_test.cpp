// That the memory which the backend torch announces is what PyTorch's allocator then takes, and
// that the settings of the thread that calls it come back. Its numbers are bptt-verify's business.
#include <algorithm>
#include <memory>

#include <ATen/Parallel.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"

namespace bptt {
namespace {

/// Bytes alive in PyTorch's allocator, counted from when it was made.
struct Meter final : c10::MemoryReportingInfoBase {
  std::int64_t alive = 0, most = 0;
  void reportMemoryUsage(void*, std::int64_t bytes, std::int64_t, std::int64_t,
                         c10::Device) override {
    alive += bytes;
    most = std::max(most, alive);
  }
  bool memoryProfilingEnabled() const override { return true; }
};

const Backend& torch() {
  return **std::ranges::find(backends(), "torch", &Backend::name);
}

/// Runs a layer forward and backward.
template <class T>
void run(Plan<T>& plan, Problem<T>& problem) {
  plan.forward(problem.params, problem.in, problem.out);
  plan.backward(problem.params, problem.in, problem.dout, problem.grads);
}

TEST(Torch, TakesAboutTheMemoryItAnnounces) {
  for (const char* cell : {"rnn", "lstm", "gru:reset=after_matmul:update=keep", "lstm:bias=off"}) {
    for (const Shape shape : {Shape{50, 64, 32, 32}, Shape{20, 1, 64, 64}, Shape{3, 4, 200, 8}}) {
      const Spec spec{parse_cell(cell), shape};
      Problem<double> problem(spec);
      const auto plan = torch().plan<double>(spec, {});
      const auto meter = std::make_shared<Meter>();
      {
        const c10::DebugInfoGuard count(c10::DebugInfoKind::PROFILER_STATE, meter);
        run(*plan, problem);
      }
      const auto announced = static_cast<double>(plan->workspace_bytes());
      const auto taken = static_cast<double>(meter->most);
      EXPECT_LE(taken, announced) << to_string(spec);
      EXPECT_GE(taken, 0.6 * announced) << to_string(spec);
      EXPECT_EQ(meter->alive, 0) << to_string(spec);
    }
  }
}

TEST(Torch, GivesTheCallerItsThreadCountBack) {
  const Spec spec{parse_cell("lstm"), {2, 2, 2, 2}};
  Problem<float> problem(spec);
  const auto plan = torch().plan<float>(spec, {});
  at::set_num_threads(3);
  run(*plan, problem);
  EXPECT_EQ(at::get_num_threads(), 3);
}

}  // namespace
}  // namespace bptt
