// Faults that backend and reference share, so that they agree: in naive itself, in what stands on
// any backend, in how the equations were understood.
#include "verify/self_test/planted_fault.hpp"

namespace bptt::verify {
namespace {

constexpr const char* lstm = "lstm/plain/T7-B3-I5-H4";
constexpr const char* gru = "gru/plain/T7-B3-I5-H4";
constexpr const char* torch = "gru:reset=after_matmul:update=keep/plain/T7-B3-I5-H4";
constexpr const char* peephole = "lstm:peephole/plain/T7-B3-I5-H4";
constexpr const char* attention = "encoder-decoder-attention/gru/lengths/T5-B4-I2-H3";
constexpr const char* many_to_one = "many-to-one/lstm/lengths/T5-B4-I2-H3";

template <class T>
const net::ModelTensor<T>* find(const net::Model<T>& model, std::string_view name) {
  for (const auto& tensor : model.tensors()) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

/// A share of what attention makes of the encoder's states does not flow back.
constexpr auto attention_detached = []<class T>(net::Model<T>& model, bool backward) {
  const auto* w = find(model, "encoder.weight_ih_l0");
  if (!backward || !w) return;
  for (T& value : w->gradient) value *= T(0.75);
};

constexpr auto head_gradient_doubled = []<class T>(net::Model<T>& model, bool backward) {
  const auto* w = find(model, "head.bias");
  if (!backward || !w) return;
  for (T& value : w->gradient) value *= T(2);
};

PlantedFault of(const char* name, Mistake mistake, const char* case_name, const char* check,
                const char* tensor = "") {
  PlantedFault fault{name, "reference", case_name, check, tensor};
  fault.in_plans = mistaken_everywhere(mistake);
  fault.dtypes = {Dtype::f64};
  return fault;
}
template <class S>
PlantedFault around(const char* name, S spoil, const char* case_name, const char* tensor) {
  PlantedFault fault{name, "reference", case_name, "gradient", tensor};
  fault.around = ModelFault::make_for_all(spoil);
  fault.dtypes = {Dtype::f64};
  return fault;
}

}  // namespace

std::vector<PlantedFault> reference_faults() {
  using enum Mistake;
  return {
      of("naive and backend: df with c_t", forget_gradient_of_new_cell, lstm, "gradient",
         "grad.weight_ih_l0"),
      of("naive and backend: dr = 0", reset_without_gradient, gru, "gradient", "grad.weight_hh_l0"),
      of("naive and backend: truncated BPTT", truncated_at_half, torch, "gradient", "grad.x"),
      around("network: encoder half detached", attention_detached, attention,
             "grad.encoder.weight_ih_l0"),
      around("network: head's bias counted twice", head_gradient_doubled, many_to_one,
             "grad.head.bias"),
      of("naive and backend: gates in order i,f,o,g", gates_read_as_ifog, lstm, "golden", "y"),
      of("naive and backend: z and 1-z exchanged", old_state_weighed_by_update, torch, "golden",
         "y"),
      of("naive and backend: reset before, not after", reset_on_the_other_side, torch, "golden",
         "y"),
      of("naive and backend: peephole of o sees c_{t-1}", output_sees_old_cell, peephole, "golden",
         "y"),
      of("naive and backend: forget bias of 1 added", forget_bias_of_one_added, lstm, "golden",
         "y"),
  };
}

}  // namespace bptt::verify
