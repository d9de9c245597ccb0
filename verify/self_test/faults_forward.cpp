// Faults of the forward pass: a cell that is not the one described. Its backward pass is right for
// what it computes, so that the oracles alone would let most of them pass.
#include "verify/self_test/planted_fault.hpp"

namespace bptt::verify {
namespace {

constexpr const char* rnn = "rnn/plain/T7-B3-I5-H4";
constexpr const char* leaky = "rnn:leaky_relu/plain/T7-B3-I5-H4";
constexpr const char* lstm = "lstm/plain/T7-B3-I5-H4";
constexpr const char* peephole = "lstm:peephole/plain/T7-B3-I5-H4";
constexpr const char* coupled = "lstm:coupled/plain/T7-B3-I5-H4";
constexpr const char* cell_gates = "lstm:gate_input=cell/plain/T7-B3-I5-H4";
constexpr const char* gru = "gru/plain/T7-B3-I5-H4";
constexpr const char* keep = "gru:update=keep/plain/T7-B3-I5-H4";
constexpr const char* after = "gru:reset=after_matmul/plain/T7-B3-I5-H4";
constexpr const char* torch = "gru:reset=after_matmul:update=keep/plain/T7-B3-I5-H4";

PlantedFault in_y(const char* name, Mistake mistake, const char* case_name,
                  const char* time_step = "steps 0..6 of 7") {
  PlantedFault fault{name, "forward", case_name, "equality"};
  fault.tensor = "y";
  fault.time_step = time_step;
  fault.in_plans = mistaken(mistake);
  return fault;
}

}  // namespace

std::vector<PlantedFault> forward_faults() {
  using enum Mistake;
  return {
      in_y("gates read in the order i,f,o,g", gates_read_as_ifog, lstm),
      in_y("rows of i and f swapped", input_and_forget_swapped, lstm),
      in_y("rows of r and z swapped", reset_and_update_swapped, gru),
      in_y("forget bias of 1 added", forget_bias_of_one_added, lstm),
      in_y("h = o c, without tanh", cell_not_squashed, lstm),
      in_y("candidate by sigmoid", candidate_by_sigmoid, lstm),
      in_y("peephole of o sees c_{t-1}", output_sees_old_cell, peephole),
      in_y("coupled gate i = f, not 1-f", coupled_without_one_minus, coupled),
      in_y("gates read h where c is asked for", cell_gates_read_hidden, cell_gates),
      in_y("z and 1-z exchanged (take)", old_state_weighed_by_update, gru),
      in_y("z and 1-z exchanged (keep)", old_state_weighed_by_update, keep),
      in_y("(1-z) forgotten: h = h_{t-1} + z n", update_without_one_minus, gru),
      in_y("reset after the product, not before", reset_on_the_other_side, gru),
      in_y("reset before the product, not after", reset_on_the_other_side, torch),
      in_y("b_hn outside of r (W h + b)", candidate_bias_not_reset, after),
      in_y("leaky slope 0.1, not 0.01", leaky_slope_of_a_tenth, leaky),
      in_y("b_hh forgotten (rnn)", bias_hh_forgotten, rnn),
      in_y("b_hh forgotten (gru after, keep)", bias_hh_forgotten, torch),
      in_y("W_hh transposed", weight_hh_transposed, lstm),
      in_y("h0 and c0 ignored", initial_state_ignored, lstm),
      in_y("h_{t-2} where h_{t-1} belongs", state_two_steps_old, rnn, "steps 1..6 of 7"),
  };
}

}  // namespace bptt::verify
