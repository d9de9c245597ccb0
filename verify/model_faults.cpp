#include "verify/model_faults.hpp"

#include <cmath>

namespace bptt::verify {
namespace {

// Plans are made layer by layer, forward before reverse; `directions` in the cases below is 2.
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
    const Index pad = T_ - c.in.lengths[static_cast<std::size_t>(b)];
    for (Index t = pad; t < T_; ++t) {
      std::copy_n(&c.in.x(t - pad, b, 0), I, &p.in.x(t, b, 0));
    }
  }
  naive::make_plan<T>(full)->forward(c.params, {p.in.x, c.in.h0, c.in.c0, {}}, p.out);
  for (Index b = 0; b < B; ++b) {
    const Index pad = T_ - c.in.lengths[static_cast<std::size_t>(b)];
    for (Index t = pad; t < T_; ++t) {
      std::copy_n(&p.out.y(t, b, 0), H, &c.out.y(t - pad, b, 0));
    }
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

constexpr auto gate_off_has_gradient = []<class T>(FaultContext<T>& c) {
  const Index H = c.spec.shape.H;
  if (c.backward) c.grads.params.bias_hh[H] = std::numeric_limits<T>::denorm_min();
};

constexpr auto peephole_gates_swapped = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto& dp = c.grads.params.weight_peephole;
  std::swap_ranges(dp.begin(), dp.begin() + c.spec.shape.H, dp.begin() + c.spec.shape.H);
};

constexpr auto rebuilt_gates_wrong = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.exec.recompute != Recompute::gates) return;
  for (T& value : c.grads.params.weight_hh) value *= T(1.01);
};

template <class T>
const net::ModelTensor<T>* find(const net::Model<T>& model, const char* name) {
  for (const auto& tensor : model.tensors()) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

constexpr auto directions_swapped = []<class T>(net::Model<T>& model, bool backward) {
  if (backward) return;
  const View<T>& y = find(model, "y")->value;
  const Index width = y.extents()[2];
  for (Index row = 0; row < y.size() / width; ++row) {
    T* values = y.data() + row * width;
    std::swap_ranges(values, values + width / 2, values + width / 2);
  }
};

/// In the last block: the upper layer's reverse direction.
constexpr auto upper_state_rounded = []<class T>(net::Model<T>& model, bool backward) {
  if (backward) return;
  const View<T>& hT = find(model, "hT")->value;
  T& element = hT[hT.size() - 1];
  element = std::nextafter(element, std::numeric_limits<T>::infinity());
};

/// A sequence without a live step, in the lower layer.
constexpr auto empty_sequence_touched = []<class T>(net::Model<T>& model, bool backward) {
  const View<T>& dh0 = find(model, "h0")->gradient;
  const auto& lengths = *find(model, "y")->lengths;
  const auto empty = std::find(lengths.begin(), lengths.end(), 0) - lengths.begin();
  if (backward) dh0(0, empty, 0) = std::nextafter(dh0(0, empty, 0), T(2));
};

constexpr auto padding_of_y_not_cleared = []<class T>(net::Model<T>& model, bool backward) {
  const View<T>& y = find(model, "y")->value;
  if (!backward) y[y.size() - 1] = std::numeric_limits<T>::denorm_min();
};

/// The bias of the head sees the steps beyond a sequence's length as well.
constexpr auto head_counts_padding = []<class T>(net::Model<T>& model, bool backward) {
  if (!backward) return;
  const auto* y = find(model, "y");
  const View<T>& gradient = find(model, "head.bias")->gradient;
  for (const Index length : *y->lengths) {
    for (Index t = length; t < y->blocks; ++t) {
      for (T& value : gradient) value += T(1) / static_cast<T>(gradient.size());
    }
  }
};

constexpr auto loss_not_averaged = []<class T>(net::Model<T>& model, bool backward) {
  if (!backward) find(model, "loss")->value[0] *= T(2);
};

constexpr auto attention_sees_padding = []<class T>(net::Model<T>& model, bool backward) {
  if (backward) return;
  const View<T>& weights = find(model, "attention")->value;
  const Index source = weights.extents()[2], B = weights.extents()[1];
  const auto& lengths = *find(model, "encoder.y")->lengths;
  for (Index b = 0; b < B; ++b) {
    const Index length = lengths[static_cast<std::size_t>(b)];
    if (length > 0 && length < source) weights(0, b, length) = T(0.01);
  }
};

const Fault no_plan_fault = Fault::make("", [](auto&) {});
const ModelFault no_model_fault = ModelFault::make("", [](auto&, bool) {});

/// In the plans.
template <class Spoil>
PlantedModelFault plans(const char* name, Spoil spoil, const char* case_name, const char* check,
                        const char* tensor, const char* time_step = "") {
  return {Fault::make(name, spoil), no_model_fault, case_name, check, tensor, time_step};
}
/// Around them.
template <class Spoil>
PlantedModelFault around(const char* name, Spoil spoil, const char* case_name, const char* check,
                         const char* tensor, const char* time_step = "") {
  PlantedModelFault planted{no_plan_fault, ModelFault::make(name, spoil), case_name, check, tensor,
                            time_step};
  planted.in_plans.name = name;
  return planted;
}

}  // namespace

const std::vector<PlantedModelFault>& planted_model_faults() {
  constexpr const char* both_ways = "lstm/2-layers-bidirectional-lengths/T11-B7-I3-H17";
  constexpr const char* translator = "encoder-decoder/gru/lengths/T5-B4-I2-H3";
  static const std::vector<PlantedModelFault> faults = {
      plans("reverse_starts_at_padding", reverse_starts_at_padding, both_ways, "equality", "y"),
      plans("reverse_starts_at_padding_state", reverse_starts_at_padding, both_ways, "equality",
            "hT"),
      plans("reverse_dhT_ignored", reverse_dhT_ignored, both_ways, "equality",
            "grad.weight_hh_l1_reverse", "final state (dhT, dcT)"),
      plans("upper_dx_dropped", upper_dx_dropped, both_ways, "equality",
            "grad.weight_ih_l0_reverse", "upstream step 0 on"),
      plans("upper_h0_ignored", upper_h0_ignored, both_ways, "equality", "y", "steps 0.."),
      plans("encoder_cut_off", encoder_cut_off, translator, "equality", "grad.encoder.weight_hh_l0",
            "no upstream gradient"),
      plans("gate_off_has_gradient", gate_off_has_gradient,
            "lstm:forget_gate=off/plain/T7-B3-I5-H4", "no-effect", "grad.bias_hh_l0"),
      plans("peephole_gates_swapped", peephole_gates_swapped, "lstm:peephole/plain/T50-B3-I5-H17",
            "equality", "grad.weight_peephole_l0", "upstream step 0 on"),
      plans("rebuilt_gates_wrong", rebuilt_gates_wrong, "lstm/plain/T50-B3-I5-H17", "equality",
            "grad.weight_hh_l0", "upstream step 0 on"),
      around("directions_swapped", directions_swapped, both_ways, "equality", "y", "steps 0.."),
      around("upper_state_rounded", upper_state_rounded, both_ways, "final-state", "hT", "step 0"),
      around("empty_sequence_touched", empty_sequence_touched, both_ways, "final-state", "grad.h0",
             "no live step"),
      around("padding_of_y_not_cleared", padding_of_y_not_cleared, both_ways, "padding", "y",
             "step 10"),
      around("head_counts_padding", head_counts_padding, "deep/lstm/lengths/T5-B4-I2-H3",
             "equality", "grad.head.bias"),
      around("loss_not_averaged", loss_not_averaged, "many-to-many/rnn/plain/T5-B4-I2-H3",
             "equality", "loss"),
      around("attention_sees_padding", attention_sees_padding,
             "encoder-decoder-attention/gru/lengths/T5-B4-I2-H3", "equality", "attention",
             "step 0 of 7"),
  };
  return faults;
}

}  // namespace bptt::verify
