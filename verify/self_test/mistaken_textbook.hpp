// Backpropagation through time as a textbook has it, one sequence at a time, with mistakes that can
// be switched on, one at a time. Without one it computes what naive does, up to rounding (a test).
//
// It judges nothing: a mistake is planted in a backend by adding what the mistake changes here,
//
//   the backend's result + (mistaken textbook - right textbook),
//
// in the precision of the backend, whose own rounding stays as it is.
#pragma once

#include "impls/api/tensor.hpp"
#include "verify/self_test/fault.hpp"

namespace bptt::verify {

enum class Mistake {
  none,

  // Another function than the one described; backward is the gradient of that other function.
  gates_read_as_ifog,           ///< lstm: rows in the order of TensorFlow and Keras
  input_and_forget_swapped,     ///< lstm: rows of i and f exchanged
  reset_and_update_swapped,     ///< gru: rows of r and z exchanged
  forget_bias_of_one_added,     ///< lstm: TensorFlow's forget_bias
  cell_not_squashed,            ///< lstm: h = o c
  candidate_by_sigmoid,         ///< lstm: g = sigmoid(p)
  output_sees_old_cell,         ///< lstm: peephole of o reads c_{t-1}
  coupled_without_one_minus,    ///< lstm: i = f
  cell_gates_read_hidden,       ///< lstm, gate_input=cell: i, f, o read h_{t-1} all the same
  old_state_weighed_by_update,  ///< gru: z and 1-z exchanged
  update_without_one_minus,     ///< gru: h = h_{t-1} + z n
  reset_on_the_other_side,      ///< gru: before and after the product exchanged
  candidate_bias_not_reset,     ///< gru after_matmul: b_hn outside of r (...)
  leaky_slope_of_a_tenth,       ///< rnn:leaky_relu
  bias_hh_forgotten,
  weight_hh_transposed,
  initial_state_ignored,  ///< h0 and c0 are zero
  state_two_steps_old,    ///< h_{t-2} in the recurrent product; backward takes it for h_{t-1}

  // The derivative of the right function, taken wrong at one point.
  slope_at_preactivation,         ///< 1 - p^2 for 1 - tanh(p)^2: candidate of lstm and gru, rnn
  slope_without_square,           ///< 1 - g for 1 - g^2, there
  sigmoid_slope_is_sigmoid,       ///< o for o (1-o): output gate, update gate, rnn:sigmoid
  sigmoid_slope_for_relu,         ///< rnn:relu: h (1-h)
  leaky_slope_is_zero,            ///< rnn:leaky_relu
  psi_slope_at_old_cell,          ///< lstm: 1 - tanh(c_{t-1})^2
  forget_gradient_of_new_cell,    ///< lstm: df = dc c_t
  factors_of_dc_swapped,          ///< lstm: di = dc i, dg = dc g
  dc_without_dh,                  ///< lstm: what reaches c through h is left out
  dc_not_carried,                 ///< lstm: dc_{t-1} = 0 f
  peephole_not_carried,           ///< lstm: dc without dp_o w_o
  peephole_gradient_of_old_cell,  ///< lstm: dw_o = dp_o c_{t-1}
  coupled_without_input,          ///< lstm: df = dc c_{t-1}, without the part of i = 1-f
  one_minus_forgotten,            ///< gru: dh_{t-1} += dh, without (1-z)
  update_gradient_negated,        ///< gru: dz = dh (h_{t-1} - n)
  reset_without_gradient,         ///< gru: dr = 0
  candidate_gradient_not_reset,   ///< gru: dW_hn, db_hn, without r
  carry_overwritten,              ///< dh = dy_t, where h_t has a dy of its own

  // Sums over time that lack or misplace a term.
  truncated_at_half,  ///< nothing flows from the second half of time into the first
  dhT_ignored,
  dcT_ignored,
  dhT_at_last_step_only,  ///< of shorter sequences it is lost
  weight_hh_without_first_step,
  bias_without_first_step,
  weight_hh_with_new_state,  ///< dp_t h_t^T for dp_t h_{t-1}^T
  weight_ih_with_old_input,  ///< dp_t x_{t-1}^T
  weight_hh_gradient_transposed,
  gradient_rows_swapped,  ///< of the first two gates
  dx_without_last_gate,
  averaged_over_batch,  ///< parameters' gradients divided by B
};

/// Forward alone where `dout` is nullptr. Absent outputs and gradients are left out.
template <Scalar T>
void run_textbook(const Spec&, Mistake, const Params<const T>&, const Inputs<const T>&,
                  const OutputGrads<const T>* dout, const Outputs<T>&, const Grads<T>&);

/// Adds what the mistake changes to a context's results.
template <Scalar T>
void add_mistake(Mistake, FaultContext<T>&);

}  // namespace bptt::verify
