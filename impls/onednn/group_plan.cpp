#include "impls/onednn/group_plan.hpp"

#include <algorithm>

#include "impls/onednn/bias.hpp"
#include "impls/onednn/engine.hpp"
#include "impls/peer/stopwatch.hpp"

namespace bptt::onednn {
namespace {

using peer::Stopwatch;

template <class T>
T* or_else(const View<T>& given, T* otherwise) {
  return given ? given.data() : otherwise;
}

void copy_if_wanted(const float* from, const View<float>& to) {
  if (to) std::copy_n(from, to.size(), to.data());
}

}  // namespace

GroupPlan::GroupPlan(const Group& group, const CellMap& map, Book::Place place)
    : GroupPlan(group, map, Book(group, map, place)) {}

GroupPlan::GroupPlan(const Group& group, const CellMap& map, const Book& book)
    : group_(group),
      map_(map),
      memory_(book.layout),
      layer_(memory_, book.layer, map, book.layer_layouts,
             {&Params<const float>::weight_ih, &Params<float>::weight_ih}),
      iter_(memory_, book.iter, map, book.iter_layouts,
            {&Params<const float>::weight_hh, &Params<float>::weight_hh}),
      bias_(memory_.at(book.bias)),
      bias_gradient_(memory_.at(book.bias_gradient)),
      y_(memory_.at(book.y)),
      absent_dy_(memory_.at(book.absent_dy)),
      dx_(memory_.at(book.dx)),
      zeros_(memory_.at(book.zeros)),
      hT_(memory_.at(book.hT)),
      cT_(memory_.at(book.cT)),
      unwanted_dh0_(memory_.at(book.unwanted_dh0)),
      unwanted_dc0_(memory_.at(book.unwanted_dc0)),
      peephole_(memory_.at(book.peephole)),
      peephole_gradient_(memory_.at(book.peephole_gradient)),
      adds_(!book.descriptors.overwrites),
      implementation_(implementation_of(book.descriptors)),
      stream_(engine()),
      forward_(book.descriptors.forward, forward_arguments(map)),
      backward_(book.descriptors.backward, backward_arguments(map)) {
  std::fill_n(zeros_, group.units() * group.shape.B * group.shape.H, 0.0f);
  for (Call* call : {&forward_, &backward_}) {
    call->set(DNNL_ARG_BIAS, bias_);
    call->set(DNNL_ARG_DST_LAYER, y_);
    call->set(DNNL_ARG_DST_ITER, hT_);
    if (is_lstm()) call->set(DNNL_ARG_DST_ITER_C, cT_);
    call->set(DNNL_ARG_WORKSPACE, memory_.at(book.workspace));
    call->set(DNNL_ARG_SCRATCHPAD, memory_.at(book.scratchpad));
  }
  backward_.set(DNNL_ARG_DIFF_BIAS, bias_gradient_);
  backward_.set(DNNL_ARG_DIFF_WEIGHTS_LAYER, layer_.gradient());
  backward_.set(DNNL_ARG_DIFF_WEIGHTS_ITER, iter_.gradient());
}

View<const float> GroupPlan::y() const {
  return {y_, {group_.shape.T, group_.shape.B, group_.output_width()}};
}

View<const float> GroupPlan::dx() const {
  return {dx_, {group_.shape.T, group_.shape.B, group_.shape.I}};
}

template <class Visit>
void GroupPlan::for_each_unit(float* all, Index elements, const Visit& visit) const {
  for (Index unit = 0; unit < group_.units(); ++unit) {
    visit(static_cast<std::size_t>(unit), all + unit * elements);
  }
}

void GroupPlan::forward(GroupParams params, const Inputs<const float>& in,
                        const Outputs<float>& out) {
  set_inputs(forward_, params, in);
  forward_.set(DNNL_ARG_WEIGHTS_LAYER, layer_.forward(params, stream_, seconds_));
  forward_.set(DNNL_ARG_WEIGHTS_ITER, iter_.forward(params, stream_, seconds_));
  {
    const Stopwatch watch(seconds_.weights);
    const Index H = group_.shape.H;
    for_each_unit(bias_, map_.bias_count * H,
                  [&](std::size_t unit, float* sum) { sum_biases(map_, H, params[unit], sum); });
  }
  forward_.run(stream_);
  const Stopwatch watch(seconds_.activations);
  copy_if_wanted(y_, out.y);
  copy_if_wanted(hT_, out.hT);
  copy_if_wanted(cT_, out.cT);
}

void GroupPlan::backward(GroupParams params, const Inputs<const float>& in,
                         const OutputGrads<const float>& dout, const StackGrads<float>& grads) {
  set_inputs(backward_, params, in);
  backward_.set(DNNL_ARG_WEIGHTS_LAYER, layer_.backward(params, stream_, seconds_));
  backward_.set(DNNL_ARG_WEIGHTS_ITER, iter_.backward(params, stream_, seconds_));
  float* dpeephole = peephole_gradient(grads.params);
  if (map_.peephole) backward_.set(DNNL_ARG_DIFF_WEIGHTS_PEEPHOLE, dpeephole);
  if (adds_) zero_gradients(dpeephole);
  if (!dout.y) std::fill_n(absent_dy_, y().size(), 0.0f);
  backward_.set(DNNL_ARG_DIFF_DST_LAYER, or_else<const float>(dout.y, absent_dy_));
  backward_.set(DNNL_ARG_DIFF_DST_ITER, or_else<const float>(dout.hT, zeros_));
  backward_.set(DNNL_ARG_DIFF_SRC_LAYER, or_else(grads.x, dx_));
  backward_.set(DNNL_ARG_DIFF_SRC_ITER, or_else(grads.h0, unwanted_dh0_));
  if (is_lstm()) {
    backward_.set(DNNL_ARG_DIFF_DST_ITER_C, or_else<const float>(dout.cT, zeros_));
    backward_.set(DNNL_ARG_DIFF_SRC_ITER_C, or_else(grads.c0, unwanted_dc0_));
  }
  backward_.run(stream_);
  bring_gradients(grads.params);
}

void GroupPlan::set_inputs(Call& call, GroupParams params, const Inputs<const float>& in) {
  call.set(DNNL_ARG_SRC_LAYER, in.x.data());
  call.set(DNNL_ARG_SRC_ITER, or_else<const float>(in.h0, zeros_));
  if (is_lstm()) call.set(DNNL_ARG_SRC_ITER_C, or_else<const float>(in.c0, zeros_));
  if (map_.peephole) call.set(DNNL_ARG_WEIGHTS_PEEPHOLE, peephole(params));
}

const float* GroupPlan::peephole(GroupParams params) {
  if (is_single()) return params[0].weight_peephole.data();
  const Stopwatch watch(seconds_.activations);
  for_each_unit(peephole_, 3 * group_.shape.H, [&](std::size_t unit, float* to) {
    std::ranges::copy(params[unit].weight_peephole, to);
  });
  return peephole_;
}

float* GroupPlan::peephole_gradient(std::span<const Params<float>> grads) const {
  if (!is_single() || grads.empty()) return peephole_gradient_;
  return or_else(grads[0].weight_peephole, peephole_gradient_);
}

void GroupPlan::zero_gradients(float* dpeephole) {
  const Stopwatch watch(seconds_.weights);
  const Index vectors = group_.units() * group_.shape.H;
  layer_.zero_gradient();
  iter_.zero_gradient();
  std::fill_n(bias_gradient_, map_.bias_count * vectors, 0.0f);
  if (map_.peephole) std::fill_n(dpeephole, 3 * vectors, 0.0f);
}

void GroupPlan::bring_gradients(std::span<const Params<float>> grads) {
  if (grads.empty()) return;
  const Index H = group_.shape.H;
  {
    const Stopwatch watch(seconds_.weights);
    layer_.gradient_to(grads, stream_);
    iter_.gradient_to(grads, stream_);
    for_each_unit(bias_gradient_, map_.bias_count * H, [&](std::size_t unit, const float* from) {
      split_bias_gradient(map_, H, from, grads[unit]);
    });
  }
  if (!map_.peephole || is_single()) return;
  const Stopwatch watch(seconds_.activations);
  for_each_unit(peephole_gradient_, 3 * H, [&](std::size_t unit, const float* from) {
    copy_if_wanted(from, grads[unit].weight_peephole);
  });
}

}  // namespace bptt::onednn
