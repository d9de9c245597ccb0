#include "impls/onednn/plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "impls/onednn/primitives.hpp"
#include "impls/onednn/translate.hpp"
#include "impls/onednn/weight.hpp"
#include "impls/peer/stopwatch.hpp"
#include "impls/threads/openmp.hpp"

namespace bptt::onednn {
namespace {

using peer::Stopwatch;
using schedule::Booking;
using schedule::Workspace;
using schedule::WorkspaceLayout;
using threads::OpenMpThreads;

/// Descriptors and the memory that goes with them.
struct Book {
  Book(const Spec& spec, const CellMap& map) : descriptors(describe(spec.shape, map)) {
    const Shape& s = spec.shape;
    const auto weight_layouts = [&](Index n, int weight, int gradient) {
      return WeightLayouts{s.H,
                           n,
                           our_weights(map.gate_count, s.H, n),
                           layout_of(descriptors.forward, weight),
                           layout_of(descriptors.backward, weight),
                           layout_of(descriptors.backward, gradient)};
    };
    layer_layouts = weight_layouts(s.I, DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_LAYER);
    iter_layouts = weight_layouts(s.H, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_DIFF_WEIGHTS_ITER);
    layer = Weight::book(layout, map, layer_layouts);
    iter = Weight::book(layout, map, iter_layouts);
    bias = layout.book<float>(map.bias_count * s.H);
    bias_gradient = layout.book<float>(map.bias_count * s.H);
    const Index steps = checked_product({s.T, s.B}, "activations");
    y = layout.book<float>(checked_product({steps, s.H}, "y"));
    absent_dy = layout.book<float>(checked_product({steps, s.H}, "dy"));
    unwanted_dx = layout.book<float>(checked_product({steps, s.I}, "dx"));
    for (auto* state : {&zeros, &hT, &cT, &unwanted_dh0, &unwanted_dc0}) {
      *state = layout.book<float>(s.B * s.H);
    }
    if (map.peephole) unwanted_peephole = layout.book<float>(3 * s.H);
    const auto bytes = [](const dnnl::primitive_desc& of, int argument) {
      return layout_of(of, argument).get_size();
    };
    workspace =
        layout.book<char>(static_cast<Index>(bytes(descriptors.forward, DNNL_ARG_WORKSPACE)));
    scratchpad = layout.book<char>(
        static_cast<Index>(std::max(bytes(descriptors.forward, DNNL_ARG_SCRATCHPAD),
                                    bytes(descriptors.backward, DNNL_ARG_SCRATCHPAD))));
  }

  Descriptors descriptors;
  WeightLayouts layer_layouts, iter_layouts;
  WorkspaceLayout layout;
  Weight::Bookings layer, iter;
  Booking<float> bias, bias_gradient;
  /// Backward reads the y that forward wrote, which our caller may since have overwritten.
  Booking<float> y;
  /// oneDNN wants every tensor. What the caller has not is zero, what it does not want goes where
  /// nobody looks; pages that are never used cost nothing.
  Booking<float> absent_dy, unwanted_dx, zeros, hT, cT, unwanted_dh0, unwanted_dc0,
      unwanted_peephole;
  Booking<char> workspace, scratchpad;
};

/// A primitive and its arguments by number, DNNL_ARG_...
class Call {
 public:
  Call(const dnnl::primitive_desc& description, const std::vector<int>& arguments)
      : primitive_(description.get()) {
    for (const int argument : arguments) {
      arguments_.emplace(
          argument, dnnl::memory(layout_of(description, argument), engine(), DNNL_MEMORY_NONE));
    }
  }
  void set(int argument, const void* data) {
    arguments_.at(argument).set_data_handle(const_cast<void*>(data));
  }
  void run(dnnl::stream& stream) {
    primitive_.execute(stream, arguments_);
    stream.wait();
  }

 private:
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// Which arguments the primitives of a cell have.
std::vector<int> forward_arguments(const CellMap& map) {
  std::vector<int> all = {DNNL_ARG_SRC_LAYER,    DNNL_ARG_SRC_ITER,  DNNL_ARG_WEIGHTS_LAYER,
                          DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS,      DNNL_ARG_DST_LAYER,
                          DNNL_ARG_DST_ITER,     DNNL_ARG_WORKSPACE, DNNL_ARG_SCRATCHPAD};
  if (map.primitive == Primitive::lstm) {
    all.insert(all.end(), {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C});
  }
  if (map.peephole) all.push_back(DNNL_ARG_WEIGHTS_PEEPHOLE);
  return all;
}

std::vector<int> backward_arguments(const CellMap& map) {
  std::vector<int> all = forward_arguments(map);
  all.insert(all.end(), {DNNL_ARG_DIFF_SRC_LAYER, DNNL_ARG_DIFF_SRC_ITER,
                         DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER,
                         DNNL_ARG_DIFF_BIAS, DNNL_ARG_DIFF_DST_LAYER, DNNL_ARG_DIFF_DST_ITER});
  if (map.primitive == Primitive::lstm) {
    all.insert(all.end(), {DNNL_ARG_DIFF_SRC_ITER_C, DNNL_ARG_DIFF_DST_ITER_C});
  }
  if (map.peephole) all.push_back(DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE);
  return all;
}

template <class T>
T* or_else(const View<T>& given, T* otherwise) {
  return given ? given.data() : otherwise;
}

class OneDnnPlan final : public Plan<float> {
 public:
  /// oneDNN divides the work when a primitive is made: `threads` is in force from the first member
  /// on.
  OneDnnPlan(const Spec& spec, const Exec& exec, const CellMap& map, const OpenMpThreads& threads)
      : OneDnnPlan(spec, exec, map, Book(spec, map), threads) {}

  std::size_t workspace_bytes() const override { return memory_.bytes(); }
  LayoutSeconds layout_seconds() const override { return seconds_; }

 private:
  OneDnnPlan(const Spec& spec, const Exec& exec, const CellMap& map, const Book& book,
             const OpenMpThreads&)
      : Plan<float>(spec, exec),
        map_(map),
        memory_(book.layout),
        layer_(memory_, book.layer, map, book.layer_layouts),
        iter_(memory_, book.iter, map, book.iter_layouts),
        bias_(memory_.at(book.bias)),
        bias_gradient_(memory_.at(book.bias_gradient)),
        y_(memory_.at(book.y)),
        absent_dy_(memory_.at(book.absent_dy)),
        unwanted_dx_(memory_.at(book.unwanted_dx)),
        zeros_(memory_.at(book.zeros)),
        hT_(memory_.at(book.hT)),
        cT_(memory_.at(book.cT)),
        unwanted_dh0_(memory_.at(book.unwanted_dh0)),
        unwanted_dc0_(memory_.at(book.unwanted_dc0)),
        unwanted_peephole_(memory_.at(book.unwanted_peephole)),
        stream_(engine()),
        forward_(book.descriptors.forward, forward_arguments(map)),
        backward_(book.descriptors.backward, backward_arguments(map)) {
    std::fill_n(zeros_, spec.shape.B * spec.shape.H, 0.0f);
    for (Call* call : {&forward_, &backward_}) {
      call->set(DNNL_ARG_BIAS, bias_);
      call->set(DNNL_ARG_DST_LAYER, y_);
      call->set(DNNL_ARG_DST_ITER, hT_);
      if (is_lstm()) call->set(DNNL_ARG_DST_ITER_C, cT_);
      call->set(DNNL_ARG_WORKSPACE, memory_.at(book.workspace));
      call->set(DNNL_ARG_SCRATCHPAD, memory_.at(book.scratchpad));
    }
    backward_.set(DNNL_ARG_DIFF_BIAS, bias_gradient_);
  }

  bool is_lstm() const { return map_.primitive == Primitive::lstm; }
  Index state_size() const { return spec().shape.B * spec().shape.H; }
  Index y_size() const { return spec().shape.T * state_size(); }

  /// What forward and backward both read of the caller's.
  void set_inputs(Call& call, const Params<const float>& w, const Inputs<const float>& in) const {
    call.set(DNNL_ARG_SRC_LAYER, in.x.data());
    call.set(DNNL_ARG_SRC_ITER, or_else<const float>(in.h0, zeros_));
    if (is_lstm()) call.set(DNNL_ARG_SRC_ITER_C, or_else<const float>(in.c0, zeros_));
    if (map_.peephole) call.set(DNNL_ARG_WEIGHTS_PEEPHOLE, w.weight_peephole.data());
  }

  void do_forward(const Params<const float>& w, const Inputs<const float>& in,
                  const Outputs<float>& out) override {
    translate([&] { run_forward(w, in, out); });
  }
  void do_backward(const Params<const float>& w, const Inputs<const float>& in,
                   const OutputGrads<const float>& dout, const Grads<float>& grads) override {
    translate([&] { run_backward(w, in, dout, grads); });
  }

  void run_forward(const Params<const float>& w, const Inputs<const float>& in,
                   const Outputs<float>& out) {
    const OpenMpThreads threads(exec().threads, exec().bind_threads);
    set_inputs(forward_, w, in);
    {
      const Stopwatch watch(seconds_.weights);
      forward_.set(DNNL_ARG_WEIGHTS_LAYER, layer_.forward(w.weight_ih.data(), stream_));
      forward_.set(DNNL_ARG_WEIGHTS_ITER, iter_.forward(w.weight_hh.data(), stream_));
      sum_biases(map_, spec().shape.H, w, bias_);
    }
    forward_.run(stream_);
    const Stopwatch watch(seconds_.activations);
    std::copy_n(y_, y_size(), out.y.data());
    if (out.hT) std::copy_n(hT_, state_size(), out.hT.data());
    if (out.cT) std::copy_n(cT_, state_size(), out.cT.data());
  }

  void run_backward(const Params<const float>& w, const Inputs<const float>& in,
                    const OutputGrads<const float>& dout, const Grads<float>& grads) {
    const OpenMpThreads threads(exec().threads, exec().bind_threads);
    set_inputs(backward_, w, in);
    float* dpeephole = or_else(grads.params.weight_peephole, unwanted_peephole_);
    {
      const Stopwatch watch(seconds_.weights);
      backward_.set(DNNL_ARG_WEIGHTS_LAYER, layer_.backward(w.weight_ih.data(), stream_));
      backward_.set(DNNL_ARG_WEIGHTS_ITER, iter_.backward(w.weight_hh.data(), stream_));
      // oneDNN adds to the gradients of parameters.
      backward_.set(DNNL_ARG_DIFF_WEIGHTS_LAYER, layer_.zero_gradient());
      backward_.set(DNNL_ARG_DIFF_WEIGHTS_ITER, iter_.zero_gradient());
      std::fill_n(bias_gradient_, map_.bias_count * spec().shape.H, 0.0f);
      if (map_.peephole) std::fill_n(dpeephole, 3 * spec().shape.H, 0.0f);
    }
    if (!dout.y) std::fill_n(absent_dy_, y_size(), 0.0f);
    backward_.set(DNNL_ARG_DIFF_DST_LAYER, or_else<const float>(dout.y, absent_dy_));
    backward_.set(DNNL_ARG_DIFF_DST_ITER, or_else<const float>(dout.hT, zeros_));
    backward_.set(DNNL_ARG_DIFF_SRC_LAYER, or_else(grads.x, unwanted_dx_));
    backward_.set(DNNL_ARG_DIFF_SRC_ITER, or_else(grads.h0, unwanted_dh0_));
    if (is_lstm()) {
      backward_.set(DNNL_ARG_DIFF_DST_ITER_C, or_else<const float>(dout.cT, zeros_));
      backward_.set(DNNL_ARG_DIFF_SRC_ITER_C, or_else(grads.c0, unwanted_dc0_));
    }
    if (map_.peephole) backward_.set(DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE, dpeephole);
    backward_.run(stream_);
    const Stopwatch watch(seconds_.weights);
    layer_.gradient_to(grads.params.weight_ih.data(), stream_);
    iter_.gradient_to(grads.params.weight_hh.data(), stream_);
    split_bias_gradient(map_, spec().shape.H, bias_gradient_, grads.params);
  }

  CellMap map_;
  Workspace memory_;
  Weight layer_, iter_;
  float *bias_, *bias_gradient_, *y_, *absent_dy_, *unwanted_dx_, *zeros_, *hT_, *cT_,
      *unwanted_dh0_, *unwanted_dc0_, *unwanted_peephole_;
  dnnl::stream stream_;
  Call forward_, backward_;
  LayoutSeconds seconds_;
};

}  // namespace

std::size_t workspace_bytes(const Spec& spec, const Exec& exec, const CellMap& map) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  return Book(spec, map).layout.bytes();
}

std::unique_ptr<Plan<float>> make_plan(const Spec& spec, const Exec& exec, const CellMap& map) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  return std::make_unique<OneDnnPlan>(spec, exec, map, threads);
}

}  // namespace bptt::onednn
