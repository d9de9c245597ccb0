// Faults of stacks, directions, heads and architectures: in some of their plans, or around them.
#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/spoilers.hpp"

namespace bptt::verify {
namespace {

constexpr const char* both_ways = "lstm/2-layers-bidirectional-lengths/T11-B7-I3-H17";
constexpr const char* two_layers = "gru/2-layers/T5-B2-I4-H3";
constexpr const char* translator = "encoder-decoder/gru/lengths/T5-B4-I2-H3";
constexpr const char* attention = "encoder-decoder-attention/gru/lengths/T5-B4-I2-H3";

// Plans are made layer by layer, forward before reverse; `directions` of `both_ways` is 2.
template <class T>
bool is_reverse(const FaultContext<T>& c) {
  return c.plan_number % 2 == 1;
}
/// Of a model of two layers and directions.
template <class T>
bool is_upper(const FaultContext<T>& c) {
  return c.plan_number % 4 >= 2;
}

/// The whole of the time axis is turned round: padding comes first.
constexpr auto reverse_starts_at_padding = []<class T>(FaultContext<T>& c) {
  if (c.backward || !is_reverse(c)) return;
  const auto [T_, B, I, H] = c.spec.shape;
  Spec full = c.spec;
  full.lengths = false;
  Problem<T> p(full);
  for (Index b = 0; b < B; ++b) {
    const Index pad = T_ - length_of(c, b);
    for (Index t = pad; t < T_; ++t) std::copy_n(&c.in.x(t - pad, b, 0), I, &p.in.x(t, b, 0));
  }
  c.honest_plan(full)->forward(c.params, {p.in.x, c.in.h0, c.in.c0, {}}, p.out);
  for (Index b = 0; b < B; ++b) {
    const Index pad = T_ - length_of(c, b);
    for (Index t = pad; t < T_; ++t) std::copy_n(&p.out.y(t, b, 0), H, &c.out.y(t - pad, b, 0));
    std::copy_n(&p.out.hT(b, 0), H, &c.out.hT(b, 0));
  }
};

constexpr auto reverse_dhT_ignored = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !is_reverse(c)) return;
  auto dout = c.dout;
  dout.hT = {};
  c.compute_with(c.spec, c.in, dout);
};

constexpr auto upper_dx_dropped = []<class T>(FaultContext<T>& c) {
  if (c.backward && is_upper(c)) std::fill(c.grads.x.begin(), c.grads.x.end(), T(0));
};

constexpr auto lower_layer_detached = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.plan_number % 2 != 1 || !c.grads.x) return;
  std::fill(c.grads.x.begin(), c.grads.x.end(), T(0));
};

constexpr auto upper_h0_ignored = []<class T>(FaultContext<T>& c) {
  if (!is_upper(c)) return;
  auto in = c.in;
  in.h0 = {};
  c.compute_with(c.spec, in, c.dout);
};

/// What the decoder makes of the encoder's final state does not reach the encoder.
constexpr auto encoder_cut_off = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.plan_number % 2 != 0) return;
  auto dout = c.dout;
  dout.hT = {};
  c.compute_with(c.spec, c.in, dout);
};

constexpr auto peephole_gates_swapped = []<class T>(FaultContext<T>& c) {
  const auto& dp = c.grads.params.weight_peephole;
  if (!c.backward || !dp) return;
  std::swap_ranges(dp.begin(), dp.begin() + c.spec.shape.H, dp.begin() + c.spec.shape.H);
};

template <class T>
const net::ModelTensor<T>* find(const net::Model<T>& model, const char* name) {
  for (const auto& tensor : model.tensors()) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

constexpr auto directions_swapped = []<class T>(net::Model<T>& model, bool backward) {
  const auto* y = find(model, "y");
  if (backward || !y) return;
  const Index width = y->value.extents()[2];
  for (Index row = 0; row < y->value.size() / width; ++row) {
    T* values = y->value.data() + row * width;
    std::swap_ranges(values, values + width / 2, values + width / 2);
  }
};

/// In the last block: the upper layer's reverse direction.
constexpr auto upper_state_rounded = []<class T>(net::Model<T>& model, bool backward) {
  const auto* hT = find(model, "hT");
  if (!backward && hT) nudge(hT->value[hT->value.size() - 1]);
};

/// Of a sequence without a live step, in the lower layer.
constexpr auto empty_sequence_touched = []<class T>(net::Model<T>& model, bool backward) {
  const auto *y = find(model, "y"), *h0 = find(model, "h0");
  if (!backward || !y->lengths || !h0) return;
  const auto empty = std::find(y->lengths->begin(), y->lengths->end(), 0);
  if (empty != y->lengths->end()) nudge(h0->gradient(0, empty - y->lengths->begin(), 0));
};

constexpr auto padding_of_y_not_cleared = []<class T>(net::Model<T>& model, bool backward) {
  const View<T>& y = find(model, "y")->value;
  if (!backward && find(model, "y")->lengths)
    y[y.size() - 1] = std::numeric_limits<T>::denorm_min();
};

constexpr auto states_of_layers_swapped = []<class T>(net::Model<T>& model, bool backward) {
  const auto* h0 = find(model, "h0");
  if (!backward || !h0 || h0->blocks < 2) return;
  const Index size = h0->gradient.size() / h0->blocks;
  T* values = h0->gradient.data();
  std::swap_ranges(values, values + size, values + size);
};

/// The bias of the head sees the steps beyond a sequence's length as well.
constexpr auto head_counts_padding = []<class T>(net::Model<T>& model, bool backward) {
  const auto *y = find(model, "y"), *bias = find(model, "head.bias");
  if (!backward || !y || !y->lengths || !bias) return;
  for (const Index length : *y->lengths) {
    for (Index t = length; t < y->blocks; ++t) {
      for (T& value : bias->gradient) value += T(1) / static_cast<T>(bias->gradient.size());
    }
  }
};

constexpr auto loss_not_averaged = []<class T>(net::Model<T>& model, bool backward) {
  const auto* loss = find(model, "loss");
  if (!backward && loss) loss->value[0] *= T(2);
};

constexpr auto attention_sees_padding = []<class T>(net::Model<T>& model, bool backward) {
  const auto* weights = find(model, "attention");
  if (backward || !weights) return;
  const Index source = weights->value.extents()[2], B = weights->value.extents()[1];
  const auto& lengths = *find(model, "encoder.y")->lengths;
  for (Index b = 0; b < B; ++b) {
    const Index length = lengths[static_cast<std::size_t>(b)];
    if (length > 0 && length < source) weights->value(0, b, length) = T(0.01);
  }
};

/// In the plans.
template <class S>
PlantedFault plans(const char* name, S spoil, const char* case_name, const char* check,
                   const char* tensor, const char* time_step = "") {
  PlantedFault fault{name, "networks", case_name, check, tensor, time_step};
  fault.in_plans = Fault::make(name, spoil);
  return fault;
}
/// Around them.
template <class S>
PlantedFault around(const char* name, S spoil, const char* case_name, const char* check,
                    const char* tensor, const char* time_step = "") {
  PlantedFault fault{name, "networks", case_name, check, tensor, time_step};
  fault.around = ModelFault::make(spoil);
  return fault;
}

}  // namespace

std::vector<PlantedFault> network_faults() {
  return {
      plans("reverse direction starts at padding", reverse_starts_at_padding, both_ways, "equality",
            "y"),
      plans("dhT of the reverse direction ignored", reverse_dhT_ignored, both_ways, "equality",
            "grad.weight_hh_l1_reverse", "final state (dhT, dcT)"),
      plans("dx of the upper layer dropped", upper_dx_dropped, both_ways, "equality",
            "grad.weight_ih_l0_reverse", "upstream step 0 on"),
      plans("lower layer detached (gru)", lower_layer_detached, two_layers, "equality",
            "grad.weight_ih_l0", "upstream step 0 on"),
      plans("h0 of the upper layer ignored", upper_h0_ignored, both_ways, "equality", "y",
            "steps 0.."),
      plans("peephole gradients of i and f swapped", peephole_gates_swapped,
            "lstm:peephole/plain/T50-B3-I5-H17", "equality", "grad.weight_peephole_l0",
            "upstream step 0 on"),
      plans("encoder cut off from its decoder", encoder_cut_off, translator, "equality",
            "grad.encoder.weight_hh_l0", "no upstream gradient"),
      around("directions joined in the wrong order", directions_swapped, both_ways, "equality", "y",
             "steps 0.."),
      around("h0 gradients of two layers swapped", states_of_layers_swapped, two_layers, "equality",
             "grad.h0"),
      around("hT of the upper reverse layer: last bit", upper_state_rounded, both_ways,
             "final-state", "hT", "step 0"),
      around("dh0 of a sequence of length 0 touched", empty_sequence_touched, both_ways,
             "final-state", "grad.h0", "no live step"),
      around("padding of a stack's y not cleared", padding_of_y_not_cleared, both_ways, "padding",
             "y", "step 10"),
      around("head counts padding", head_counts_padding, "deep/lstm/lengths/T5-B4-I2-H3",
             "equality", "grad.head.bias"),
      around("loss not averaged", loss_not_averaged, "many-to-many/rnn/plain/T5-B4-I2-H3",
             "equality", "loss"),
      around("attention sees padding", attention_sees_padding, attention, "equality", "attention",
             "step 0 of 7"),
  };
}

}  // namespace bptt::verify
