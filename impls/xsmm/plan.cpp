#include "impls/xsmm/plan.hpp"

#include <algorithm>

#include "impls/peer/stopwatch.hpp"
#include "impls/schedule/workspace.hpp"
#include "impls/threads/openmp.hpp"
#include "impls/xsmm/rnn_cell.hpp"
#include "impls/xsmm/weights.hpp"

namespace bptt::xsmm {
namespace {

using peer::Stopwatch;
using schedule::Booking;
using schedule::Workspace;
using schedule::WorkspaceLayout;
using threads::OpenMpThreads;

struct Book {
  Book(const Spec& spec, const RnnCell& cell) {
    const Shape& s = spec.shape;
    const Index rows = spec.cell.gates() * s.H;
    w = layout.book<float>(rows * s.I);
    r = layout.book<float>(rows * s.H);
    wt = layout.book<float>(rows * s.I);
    rt = layout.book<float>(rows * s.H);
    dw = layout.book<float>(rows * s.I);
    dr = layout.book<float>(rows * s.H);
    b = layout.book<float>(rows);
    db = layout.book<float>(rows);
    const Index outputs = checked_product({s.T, s.B, s.H}, "y");
    for (auto* each : {&h, &dh, &i, &f, &o, &ci, &cs, &co}) *each = layout.book<float>(outputs);
    unwanted_dx = layout.book<float>(checked_product({s.T, s.B, s.I}, "dx"));
    for (auto* each : {&h0, &c0, &dh0, &dc0, &dcT}) *each = layout.book<float>(s.B * s.H);
    scratch = layout.book<char>(static_cast<Index>(cell.scratch_bytes()));
    state = layout.book<char>(static_cast<Index>(cell.state_bytes()));
  }

  WorkspaceLayout layout;
  Booking<float> w, r, wt, rt, dw, dr, b, db;
  /// h is y, which backward reads and the caller may overwrite; dh is dy with dhT added; the others
  /// are the tape. Of the lstm: cs is c, co is tanh(c).
  Booking<float> h, dh, i, f, o, ci, cs, co;
  Booking<float> unwanted_dx, h0, c0, dh0, dc0, dcT;
  Booking<char> scratch, state;
};

void copy_or_zero(const View<const float>& from, Index count, float* to) {
  if (from) {
    std::copy_n(from.data(), count, to);
  } else {
    std::fill_n(to, count, 0.0f);
  }
}

class XsmmPlan final : public Plan<float> {
 public:
  XsmmPlan(const Spec& spec, const Exec& exec)
      : Plan<float>(spec, exec),
        blocks_(choose_blocks(spec.shape)),
        cell_(spec.shape, blocks_, exec.threads),
        book_(spec, cell_),
        memory_(book_.layout) {
    // libxsmm's own drivers clear both; some of it is added to.
    std::fill_n(memory_.at(book_.scratch), cell_.scratch_bytes(), char{0});
    std::fill_n(memory_.at(book_.state), cell_.state_bytes(), char{0});
    cell_.bind_memory(memory_.at(book_.scratch), memory_.at(book_.state));
    bind_own();
  }

  std::size_t workspace_bytes() const override { return memory_.bytes(); }
  LayoutSeconds layout_seconds() const override { return seconds_; }

 private:
  float* at(const Booking<float>& booking) const { return memory_.at(booking); }
  Index state_size() const { return spec().shape.B * spec().shape.H; }
  Index y_size() const { return spec().shape.T * state_size(); }
  WeightShape layer_weight() const {
    return {spec().shape.H, spec().shape.I, blocks_.k, blocks_.c};
  }
  WeightShape recurrent_weight() const {
    return {spec().shape.H, spec().shape.H, blocks_.k, blocks_.k};
  }

  void bind_own() {
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_WEIGHT, at(book_.w));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_RECUR_WEIGHT, at(book_.r));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_BIAS, at(book_.b));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE, at(book_.h));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE_PREV, at(book_.h0));
    cell_.bind(LIBXSMM_DNN_RNN_INTERNAL_I, at(book_.i));
    cell_.bind(LIBXSMM_DNN_RNN_INTERNAL_F, at(book_.f));
    cell_.bind(LIBXSMM_DNN_RNN_INTERNAL_O, at(book_.o));
    cell_.bind(LIBXSMM_DNN_RNN_INTERNAL_CI, at(book_.ci));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_WEIGHT, at(book_.dw));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_RECUR_WEIGHT, at(book_.dr));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_BIAS, at(book_.db));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE, at(book_.dh));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE_PREV, at(book_.dh0));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_WEIGHT_TRANS, at(book_.wt));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_RECUR_WEIGHT_TRANS, at(book_.rt));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_CS, at(book_.cs));
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_CS_PREV, at(book_.c0));
    cell_.bind(LIBXSMM_DNN_RNN_INTERNAL_CO, at(book_.co));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_CS, at(book_.dcT));
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_CS_PREV, at(book_.dc0));
  }

  void do_forward(const Params<const float>& w, const Inputs<const float>& in,
                  const Outputs<float>& out) override {
    const OpenMpThreads team(exec().threads, exec().bind_threads);
    {
      const Stopwatch watch(seconds_.weights);
      pack(team, layer_weight(), w.weight_ih.data(), at(book_.w));
      pack(team, recurrent_weight(), w.weight_hh.data(), at(book_.r));
      sum_biases(spec().shape.H, w, at(book_.b));
    }
    {
      const Stopwatch watch(seconds_.activations);
      copy_or_zero(in.h0, state_size(), at(book_.h0));
      copy_or_zero(in.c0, state_size(), at(book_.c0));
    }
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_INPUT, in.x.data());
    cell_.run(LIBXSMM_DNN_COMPUTE_KIND_FWD, team);
    const Stopwatch watch(seconds_.activations);
    std::copy_n(at(book_.h), y_size(), out.y.data());
    const Index last = y_size() - state_size();
    if (out.hT) std::copy_n(at(book_.h) + last, state_size(), out.hT.data());
    if (out.cT) std::copy_n(at(book_.cs) + last, state_size(), out.cT.data());
  }

  void do_backward(const Params<const float>& w, const Inputs<const float>& in,
                   const OutputGrads<const float>& dout, const Grads<float>& grads) override {
    const OpenMpThreads team(exec().threads, exec().bind_threads);
    {
      const Stopwatch watch(seconds_.weights);
      pack_transposed(team, layer_weight(), w.weight_ih.data(), at(book_.wt));
      pack_transposed(team, recurrent_weight(), w.weight_hh.data(), at(book_.rt));
    }
    gather_gradients(dout);
    cell_.bind(LIBXSMM_DNN_RNN_REGULAR_INPUT, in.x.data());
    cell_.bind(LIBXSMM_DNN_RNN_GRADIENT_INPUT, grads.x ? grads.x.data() : at(book_.unwanted_dx));
    cell_.run(LIBXSMM_DNN_COMPUTE_KIND_BWDUPD, team);
    {
      const Stopwatch watch(seconds_.activations);
      if (grads.h0) std::copy_n(at(book_.dh0), state_size(), grads.h0.data());
      if (grads.c0) std::copy_n(at(book_.dc0), state_size(), grads.c0.data());
    }
    const Stopwatch watch(seconds_.weights);
    const Params<float>& p = grads.params;
    if (p.weight_ih) unpack(team, layer_weight(), at(book_.dw), p.weight_ih.data());
    if (p.weight_hh) unpack(team, recurrent_weight(), at(book_.dr), p.weight_hh.data());
    split_bias_gradient(spec().shape.H, at(book_.db), p);
  }

  /// libxsmm has no dhT: it is part of the last step's dy.
  void gather_gradients(const OutputGrads<const float>& dout) {
    const Stopwatch watch(seconds_.activations);
    copy_or_zero(dout.y, y_size(), at(book_.dh));
    float* last = at(book_.dh) + y_size() - state_size();
    for (Index e = 0; dout.hT && e < state_size(); ++e) last[e] += dout.hT[e];
    copy_or_zero(dout.cT, state_size(), at(book_.dcT));
    std::fill_n(at(book_.dh0), state_size(), 0.0f);
    std::fill_n(at(book_.dc0), state_size(), 0.0f);
  }

  Blocks blocks_;
  RnnCell cell_;
  Book book_;
  Workspace memory_;
  LayoutSeconds seconds_;
};

}  // namespace

std::size_t workspace_bytes(const Spec& spec, const Exec& exec) {
  const RnnCell cell(spec.shape, choose_blocks(spec.shape), exec.threads);
  return Book(spec, cell).layout.bytes();
}

std::unique_ptr<Plan<float>> make_plan(const Spec& spec, const Exec& exec) {
  const OpenMpThreads threads(exec.threads, exec.bind_threads);
  return std::make_unique<XsmmPlan>(spec, exec);
}

}  // namespace bptt::xsmm
