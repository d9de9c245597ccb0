// That the memory which the backend torch announces is what PyTorch's allocator then takes, that it
// says which of PyTorch's paths ran, that a stack is one call, and that the settings of the thread
// that calls it come back. Its numbers are bptt-verify's business.
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>
#include <torch/csrc/api/include/torch/version.h>

#include "impls/api/registry.hpp"
#include "impls/api/tensor.hpp"
#include "impls/net/stack.hpp"
#include "impls/net/stack_params.hpp"

namespace bptt {
namespace {

/// Bytes alive in PyTorch's allocator, counted from when it was made.
struct Meter : c10::MemoryReportingInfoBase {
  // Of the two the one that this version has overrides; totals are int64_t up to PyTorch 1.
  void reportMemoryUsage(void*, std::int64_t bytes, std::int64_t, std::int64_t, c10::Device) {
    count(bytes);
  }
  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) {
    count(bytes);
  }
  bool memoryProfilingEnabled() const override { return true; }

  void count(std::int64_t bytes) {
    alive += bytes;
    most = std::max(most, alive);
  }
  std::int64_t alive = 0, most = 0;
};

/// How often this thread called each of PyTorch's functions since it was made. One at a time.
class Calls {
 public:
  Calls() : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(&note))) {
    all().clear();
  }
  ~Calls() { at::removeCallback(handle_); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
  int of(const std::string& function) const { return all()[function]; }

 private:
  static std::map<std::string, int>& all() {
    static std::map<std::string, int> calls;
    return calls;
  }
  static std::unique_ptr<at::ObserverContext> note(const at::RecordFunction& function) {
    ++all()[function.name()];
    return nullptr;
  }
  at::CallbackHandle handle_;
};

const Backend& torch() {
  return **std::ranges::find(backends(), "torch", &Backend::name);
}

/// A stack, or a single layer, with all its tensors, which are small numbers.
template <Real T>
class Layers {
 public:
  explicit Layers(const StackSpec& spec, std::vector<Index> lengths = {})
      : spec_(spec),
        params_(spec),
        dparams_(spec),
        lengths_(std::move(lengths)),
        plan_(spec, {torch(), {}}) {
    for (auto& of_one : params_.views()) {
      for_each(spec.layer_spec(0), of_one, [&](const TensorInfo&, const View<T>& v) { fill(v); });
    }
    const auto own = [&](const TensorInfo& info, const View<T>& view) {
      const_cast<View<T>&>(view) = storage_.emplace_back(info.extents).view();
      fill(view);
    };
    storage_.reserve(16);
    for_each(spec, in, own);
    for_each(spec, out, own);
    for_each(spec, dout, own);
    Inputs<T> d;
    for_each(spec, d, own);
    grads = {dparams_.views(), d.x, d.h0, d.c0};
    if (spec.lengths && lengths_.empty()) {
      lengths_.assign(static_cast<std::size_t>(spec.shape.B), spec.shape.T);
    }
    in.lengths = lengths_;
  }

  void run() {
    const auto params = net::read_only(params_.views());
    plan_.forward(params, in, out);
    plan_.backward(params, in, dout, grads);
  }
  const net::Stack<T>& plan() const { return plan_; }

  Inputs<T> in;
  Outputs<T> out;
  OutputGrads<T> dout;
  StackGrads<T> grads;

 private:
  void fill(const View<T>& view) {
    for (T& element : view) {
      last_ = last_ * 1.618 + 0.357;
      last_ -= static_cast<int>(last_);
      element = static_cast<T>(last_ - 0.5);
    }
  }

  StackSpec spec_;
  double last_ = 0.1;
  net::StackParams<T> params_, dparams_;
  std::vector<Index> lengths_;
  std::vector<Tensor<T>> storage_;
  net::Stack<T> plan_;
};

constexpr const char* cells[] = {"rnn", "lstm", "gru:reset=after_matmul:update=keep",
                                 "lstm:bias=off"};
constexpr Index depths[] = {1, 3};

std::vector<StackSpec> all_stacks(const Shape& shape) {
  std::vector<StackSpec> all;
  for (const char* cell : cells) {
    for (const Index layers : depths) {
      for (const bool bidirectional : {false, true}) {
        for (const bool lengths : {false, true}) {
          all.push_back({parse_cell(cell), shape, layers, bidirectional, lengths});
        }
      }
    }
  }
  return all;
}

template <Real T>
void expect_announced(const StackSpec& spec) {
  Layers<T> layers(spec);
  const auto meter = std::make_shared<Meter>();
  {
    const c10::DebugInfoGuard count(c10::DebugInfoKind::PROFILER_STATE, meter);
    layers.run();
  }
  const auto announced = static_cast<double>(layers.plan().workspace_bytes());
  const auto taken = static_cast<double>(meter->most);
  const std::string what = std::string(name_of(dtype_of<T>)) + " " + to_string(spec);
  EXPECT_LE(taken, announced) << what;
  EXPECT_GE(taken, 0.6 * announced) << what;
  EXPECT_EQ(meter->alive, 0) << what;
}

TEST(Torch, TakesAboutTheMemoryItAnnounces) {
  for (const Shape& shape : {Shape{50, 64, 32, 32}, Shape{20, 1, 64, 64}, Shape{3, 4, 200, 8}}) {
    for (const StackSpec& spec : all_stacks(shape)) {
      expect_announced<float>(spec);
      expect_announced<double>(spec);
    }
  }
}

/// oneDNN's primitive runs where PyTorch has it for training, from 2.0.1 on: the f32 lstm without
/// packing.
bool expects_onednn(const StackSpec& spec, Dtype dtype) {
  constexpr int version =
      TORCH_VERSION_MAJOR * 10000 + TORCH_VERSION_MINOR * 100 + TORCH_VERSION_PATCH;
  return version >= 20001 && spec.cell.kind == CellKind::lstm && dtype == Dtype::f32 &&
         !spec.lengths;
}

template <Real T>
void expect_said(const StackSpec& spec) {
  const bool onednn = expects_onednn(spec, dtype_of<T>);
  Layers<T> layers(spec);
  const std::string before = layers.plan().implementation();
  const Calls calls;
  layers.run();
  const std::string what = std::string(name_of(dtype_of<T>)) + " " + to_string(spec);
  const std::string expected = onednn ? "oneDNN" : "native";
  EXPECT_EQ(before, expected + (spec.lengths ? " (packed sequence)" : "")) << what;
  EXPECT_EQ(layers.plan().implementation(), before) << what;
  // What did run, as PyTorch itself tells an observer.
  const int states = static_cast<int>(spec.states());
  EXPECT_EQ(calls.of("aten::mkldnn_rnn_layer"), onednn ? states : 0) << what;
  EXPECT_EQ(calls.of("aten::mkldnn_rnn_layer_backward"), onednn ? states : 0) << what;
  EXPECT_EQ(calls.of("aten::_pack_padded_sequence"), spec.lengths ? 1 : 0) << what;
  const bool is_lstm = spec.cell.kind == CellKind::lstm, is_gru = spec.cell.kind == CellKind::gru;
  EXPECT_EQ(calls.of("aten::lstm"), is_lstm) << what;
  EXPECT_EQ(calls.of("aten::gru"), is_gru) << what;
  EXPECT_EQ(calls.of("aten::rnn_tanh"), !is_lstm && !is_gru) << what;
}

TEST(Torch, SaysWhichPathRanInOneCallForAllLayers) {
  for (const StackSpec& spec : all_stacks({5, 3, 4, 6})) {
    expect_said<float>(spec);
    expect_said<double>(spec);
  }
}

TEST(Torch, WithoutAnyStepTheStatePassesThrough) {
  for (StackSpec spec : all_stacks({2, 3, 4, 5})) {
    if (!spec.lengths) continue;
    Layers<float> layers(spec, {0, 0, 0});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::fill(layers.in.x.begin(), layers.in.x.end(), nan);
    std::fill(layers.dout.y.begin(), layers.dout.y.end(), nan);
    layers.run();
    const auto equal = [](const View<float>& a, const View<float>& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end());
    };
    const auto zero = [](const View<float>& a) {
      return std::all_of(a.begin(), a.end(), [](float v) { return v == 0; });
    };
    SCOPED_TRACE(to_string(spec));
    EXPECT_TRUE(zero(layers.out.y));
    EXPECT_TRUE(equal(layers.out.hT, layers.in.h0));
    EXPECT_TRUE(equal(layers.out.cT, layers.in.c0));
    EXPECT_TRUE(zero(layers.grads.x));
    EXPECT_TRUE(equal(layers.grads.h0, layers.dout.hT));
    EXPECT_TRUE(equal(layers.grads.c0, layers.dout.cT));
    for (const Params<float>& d : layers.grads.params) {
      EXPECT_TRUE(zero(d.weight_ih) && zero(d.weight_hh) && zero(d.bias_ih) && zero(d.bias_hh));
    }
    EXPECT_EQ(layers.plan().implementation(), "native (packed sequence)");
  }
}

TEST(Torch, GivesTheCallerItsThreadCountBack) {
  Layers<float> layers({parse_cell("lstm"), {2, 2, 2, 2}});
  at::set_num_threads(3);
  layers.run();
  EXPECT_EQ(at::get_num_threads(), 3);
}

}  // namespace
}  // namespace bptt
