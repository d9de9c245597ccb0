// Faults of the backward pass: a derivative that is not that of the cell, at one point of it.
#include "verify/self_test/planted_fault.hpp"

namespace bptt::verify {
namespace {

constexpr const char* rnn = "rnn/plain/T7-B3-I5-H4";
constexpr const char* sigmoid = "rnn:sigmoid/plain/T7-B3-I5-H4";
constexpr const char* relu = "rnn:relu/plain/T7-B3-I5-H4";
constexpr const char* leaky = "rnn:leaky_relu/plain/T7-B3-I5-H4";
constexpr const char* lstm = "lstm/plain/T7-B3-I5-H4";
constexpr const char* peephole = "lstm:peephole/plain/T7-B3-I5-H4";
constexpr const char* coupled = "lstm:coupled/plain/T7-B3-I5-H4";
constexpr const char* gru = "gru/plain/T7-B3-I5-H4";
constexpr const char* keep = "gru:update=keep/plain/T7-B3-I5-H4";
constexpr const char* after = "gru:reset=after_matmul/plain/T7-B3-I5-H4";
constexpr const char* torch = "gru:reset=after_matmul:update=keep/plain/T7-B3-I5-H4";

constexpr const char* weight_ih = "grad.weight_ih_l0";
constexpr const char* weight_hh = "grad.weight_hh_l0";
constexpr const char* from_first = "upstream step 0 on";

PlantedFault of(const char* name, Mistake mistake, const char* case_name, const char* tensor,
                const char* time_step = "", const char* gate = "") {
  PlantedFault fault{name, "backward", case_name, "equality"};
  fault.tensor = tensor;
  fault.time_step = time_step;
  fault.gate = gate;
  fault.in_plans = mistaken(mistake);
  return fault;
}

}  // namespace

std::vector<PlantedFault> backward_faults() {
  using enum Mistake;
  return {
      of("tanh' taken at p: 1 - p^2 (rnn)", slope_at_preactivation, rnn, weight_hh, from_first),
      of("tanh' taken at p: 1 - p^2 (lstm, g)", slope_at_preactivation, lstm, weight_ih, from_first,
         "g"),
      of("tanh' taken at p: 1 - p^2 (gru, n)", slope_at_preactivation, gru, weight_ih, from_first,
         "n"),
      of("tanh' = 1 - h, square forgotten", slope_without_square, rnn, "grad.bias_hh_l0",
         from_first),
      of("tanh' = 1 - n, square forgotten", slope_without_square, after, weight_ih, from_first),
      of("sigmoid' = o, (1-o) forgotten", sigmoid_slope_is_sigmoid, lstm, weight_ih, from_first,
         "o"),
      of("sigmoid' = h, (1-h) forgotten", sigmoid_slope_is_sigmoid, sigmoid, weight_ih, from_first),
      of("sigmoid' = z, (1-z) forgotten", sigmoid_slope_is_sigmoid, torch, weight_ih, from_first,
         "z"),
      of("relu with sigmoid's slope", sigmoid_slope_for_relu, relu, weight_hh, from_first),
      of("leaky relu with relu's slope", leaky_slope_is_zero, leaky, weight_hh, from_first),
      of("psi' at c_{t-1}, one step late", psi_slope_at_old_cell, lstm, "grad.c0", from_first),
      of("df = dc c_t, not c_{t-1}", forget_gradient_of_new_cell, lstm, weight_ih, from_first, "f"),
      of("di = dc i and dg = dc g", factors_of_dc_swapped, lstm, weight_ih, from_first),
      of("dc without what comes through h", dc_without_dh, lstm, "grad.c0", from_first),
      of("dc not carried through time", dc_not_carried, lstm, "grad.c0", "upstream step 1 on"),
      of("dc without the peephole of o", peephole_not_carried, peephole, "grad.c0", from_first),
      of("peephole gradient of o with c_{t-1}", peephole_gradient_of_old_cell, peephole,
         "grad.weight_peephole_l0", from_first, "o"),
      of("coupled: df without -di", coupled_without_input, coupled, weight_ih, from_first, "f"),
      of("(1-z) forgotten in dh_{t-1} (take)", one_minus_forgotten, gru, "grad.h0", from_first),
      of("z forgotten in dh_{t-1} (keep)", one_minus_forgotten, torch, "grad.h0", from_first),
      of("dz with the wrong sign", update_gradient_negated, keep, weight_ih, from_first, "z"),
      of("dr = 0", reset_without_gradient, gru, weight_ih, from_first, "r"),
      of("dr = 0 (after_matmul)", reset_without_gradient, torch, weight_ih, from_first, "r"),
      of("dW_hn with h, not r h", candidate_gradient_not_reset, gru, weight_hh, from_first, "n"),
      of("db_hn without r", candidate_gradient_not_reset, after, "grad.bias_hh_l0", from_first,
         "n"),
      of("dh overwritten by dy, not added to", carry_overwritten, gru, weight_hh,
         "upstream step 1 on"),
  };
}

}  // namespace bptt::verify
