// Faults of the sums over time and batch: a term that is left out, put elsewhere or counted wrong.
#include <cmath>

#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/spoilers.hpp"

namespace bptt::verify {
namespace {

constexpr const char* lstm = "lstm/plain/T50-B3-I5-H17";
constexpr const char* gru = "gru/plain/T50-B3-I5-H17";
constexpr const char* small_rnn = "rnn/plain/T7-B3-I5-H4";
constexpr const char* small_lstm = "lstm/plain/T7-B3-I5-H4";
constexpr const char* small_gru = "gru:reset=after_matmul/plain/T7-B3-I5-H4";

constexpr const char* weight_ih = "grad.weight_ih_l0";
constexpr const char* weight_hh = "grad.weight_hh_l0";
constexpr const char* from_first = "upstream step 0 on";

constexpr auto early_dx_is_zero = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto early = steps(c.grads.x, 0, c.spec.shape.T / 5);
  std::fill(early.begin(), early.end(), T(0));
};

constexpr auto dh0_is_zero = []<class T>(FaultContext<T>& c) {
  if (c.backward) std::fill(c.grads.h0.begin(), c.grads.h0.end(), T(0));
};

constexpr auto batch_rows_swapped = []<class T>(FaultContext<T>& c) {
  const Index H = c.spec.shape.H;
  if (c.backward && c.grads.h0 && c.spec.shape.B > 1) {
    std::swap_ranges(c.grads.h0.begin(), c.grads.h0.begin() + H, c.grads.h0.begin() + H);
  }
};

/// The part of the parameters' gradients that comes from a part of time or of the batch is lost:
/// backward anew, with dp of that part zero because nothing upstream reaches it alone.
constexpr auto without_upstream = []<class T>(FaultContext<T>& c, auto lost) {
  if (!c.backward || !c.dout.y) return;
  std::vector<T> dy(c.dout.y.begin(), c.dout.y.end());
  const auto [T_, B, I, H] = c.spec.shape;
  for (Index t = 0; t < T_; ++t) {
    for (Index b = 0; b < B; ++b) {
      if (lost(c.spec.shape, t, b)) std::fill_n(dy.begin() + (t * B + b) * H, H, T(0));
    }
  }
  const std::vector<T> dx(c.grads.x.begin(), c.grads.x.end());
  auto dout = c.dout;
  dout.y = View<const T>(dy.data(), c.dout.y.extents());
  c.compute_with(c.spec, c.in, dout);
  std::copy(dx.begin(), dx.end(), c.grads.x.begin());
};

constexpr auto last_batch_row_lost = []<class T>(FaultContext<T>& c) {
  without_upstream(c, [](const Shape& s, Index, Index b) { return b == s.B - 1; });
};
constexpr auto chunk_of_time_lost = []<class T>(FaultContext<T>& c) {
  without_upstream(c,
                   [](const Shape& s, Index t, Index) { return t >= s.T / 2 && t < s.T / 2 + 8; });
};

/// Columns beyond the last whole tile of 16 of dW_hh are not summed.
constexpr auto last_tile_skipped = []<class T>(FaultContext<T>& c) {
  const auto& dw = c.grads.params.weight_hh;
  if (!c.backward || !dw) return;
  constexpr Index tile = 16;
  const Index H = c.spec.shape.H;
  for (Index e = 0; e < dw.size(); ++e) {
    if (e % H >= H / tile * tile) dw[e] = T(0);
  }
};

/// The last rows of dW_ih, of a number that no tile of 4 divides, are those of the rows before.
constexpr auto last_rows_repeated = []<class T>(FaultContext<T>& c) {
  const auto& dw = c.grads.params.weight_ih;
  if (!c.backward || !dw) return;
  const Index width = dw.extents()[1];
  std::copy_n(dw.end() - 2 * width, width, dw.end() - width);
};

constexpr auto bias_counted_twice = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.spec.cell.bias) return;
  for (T& value : c.grads.params.bias_ih) value *= T(2);
};

/// The middle element by magnitude of one time step of dx.
constexpr auto one_element_slightly_off = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.grads.x) return;
  const auto step = steps(c.grads.x, c.spec.shape.T / 2, 1);
  std::vector<T*> order;
  for (T& value : step) order.push_back(&value);
  std::sort(order.begin(), order.end(), [](T* a, T* b) { return std::abs(*a) < std::abs(*b); });
  *order[order.size() / 2] *= std::same_as<T, float> ? T(1 + 1e-4) : T(1 + 1e-9);
};

/// Products of f32 on the units for bf16, of f64 on those for f32.
constexpr auto operand_rounded = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  for (T& value : c.grads.params.weight_ih) {
    constexpr double bits = std::same_as<T, float> ? 0x1p8 : 0x1p24;
    int exponent = 0;
    const double mantissa = std::frexp(static_cast<double>(value), &exponent);
    value = static_cast<T>(std::ldexp(std::nearbyint(mantissa * bits) / bits, exponent));
  }
};

PlantedFault with(PlantedFault fault, const char* tensor, const char* time_step) {
  fault.tensor = tensor;
  fault.time_step = time_step;
  return fault;
}
PlantedFault of(const char* name, Mistake mistake, const char* case_name, const char* tensor,
                const char* time_step = from_first) {
  PlantedFault fault{name, "sums", case_name, "equality"};
  fault.in_plans = mistaken(mistake);
  return with(std::move(fault), tensor, time_step);
}
template <class S>
PlantedFault of(const char* name, S spoil, const char* case_name, const char* tensor,
                const char* time_step = from_first) {
  PlantedFault fault{name, "sums", case_name, "equality"};
  fault.in_plans = Fault::make(name, spoil);
  return with(std::move(fault), tensor, time_step);
}

}  // namespace

std::vector<PlantedFault> sum_faults() {
  using enum Mistake;
  return {
      of("truncated BPTT (lstm)", truncated_at_half, lstm, weight_hh, "upstream step 25 on"),
      of("truncated BPTT (gru)", truncated_at_half, gru, "grad.x", "steps 0..24 of 50"),
      of("dx = 0 in early steps", early_dx_is_zero, lstm, "grad.x", "steps 0..9 of 50"),
      of("dW_hh without t = 0", weight_hh_without_first_step, lstm, weight_hh),
      of("bias gradients without t = 0", bias_without_first_step, gru, "grad.bias_hh_l0"),
      of("dh0 = 0", dh0_is_zero, lstm, "grad.h0"),
      of("dhT ignored (gru)", dhT_ignored, gru, weight_hh, "final state (dhT, dcT)"),
      of("dhT ignored (rnn)", dhT_ignored, small_rnn, weight_hh, "final state (dhT, dcT)"),
      of("dcT ignored", dcT_ignored, lstm, "grad.c0", "final state (dhT, dcT)"),
      of("dW_hh with h_t, not h_{t-1}", weight_hh_with_new_state, small_rnn, weight_hh),
      of("dW_ih with x_{t-1}, not x_t", weight_ih_with_old_input, small_lstm, weight_ih,
         "upstream step 1 on"),
      of("dW_hh transposed", weight_hh_gradient_transposed, small_lstm, weight_hh),
      of("gradient rows of i and f swapped", gradient_rows_swapped, small_lstm, weight_ih),
      of("gradient rows of r and z swapped", gradient_rows_swapped, small_gru, "grad.bias_ih_l0"),
      of("dx without the last gate", dx_without_last_gate, small_gru, "grad.x", "steps 0..6 of 7"),
      of("gradients averaged over the batch", averaged_over_batch, small_rnn, weight_ih),
      of("batch rows swapped in dh0", batch_rows_swapped, lstm, "grad.h0"),
      of("last row of the batch lost in dW", last_batch_row_lost, lstm, weight_hh),
      of("chunk of time lost in a reduction", chunk_of_time_lost, lstm, weight_ih,
         "upstream step 25 on"),
      of("last partial tile skipped in dW_hh", last_tile_skipped, lstm, weight_hh),
      of("last row of dW_ih repeated", last_rows_repeated, small_rnn, weight_ih),
      of("bias counted twice", bias_counted_twice, small_gru, "grad.bias_ih_l0"),
      of("one element of dx off by 1e-4 (1e-9)", one_element_slightly_off, lstm, "grad.x",
         "step 25 of 50"),
      of("product with operands of half precision", operand_rounded, lstm, weight_ih),
  };
}

}  // namespace bptt::verify
