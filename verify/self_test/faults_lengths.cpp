// Faults of sequences with lengths of their own: padding that is read or not cleared, ends that are
// misplaced; and of the checks that ask for bits: what has no effect, what is only copied.
#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/spoilers.hpp"

namespace bptt::verify {
namespace {

constexpr const char* lstm = "lstm/lengths/T50-B3-I5-H17";
constexpr const char* small_lstm = "lstm/lengths/T7-B3-I5-H4";
constexpr const char* small_gru = "gru/lengths/T7-B3-I5-H4";
constexpr const char* small_rnn = "rnn/lengths/T7-B3-I5-H4";
/// With a sequence of length 0.
constexpr const char* with_empty = "lstm/lengths/T11-B7-I3-H17";

template <Scalar T>
void compute_with_lengths(FaultContext<T>& c, const std::vector<Index>& lengths) {
  auto in = c.in;
  in.lengths = lengths;
  c.compute_with(c.spec, in, c.dout);
}

template <Scalar T>
std::vector<Index> lengths_of(const FaultContext<T>& c) {
  return {c.in.lengths.begin(), c.in.lengths.end()};
}

/// Of the second sequence, which other sequences are no longer than.
constexpr auto one_step_short = []<class T>(FaultContext<T>& c) {
  if (!c.spec.lengths || c.spec.shape.B < 2 || c.in.lengths[1] == 0) return;
  auto lengths = lengths_of(c);
  --lengths[1];
  compute_with_lengths(c, lengths);
};

/// Sequences are sorted by length, and results not put back.
constexpr auto not_unsorted = []<class T>(FaultContext<T>& c) {
  if (c.backward || !c.spec.lengths || !c.out.hT) return;
  const Index H = c.spec.shape.H;
  std::vector<Index> order;
  for (Index b = 0; b < c.spec.shape.B; ++b) order.push_back(b);
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return length_of(c, a) > length_of(c, b); });
  const std::vector<T> hT(c.out.hT.begin(), c.out.hT.end());
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    std::copy_n(hT.begin() + order[static_cast<std::size_t>(b)] * H, H, &c.out.hT(b, 0));
  }
};

/// hT is y of the last step, which is zero for shorter sequences.
constexpr auto final_state_at_last_step = []<class T>(FaultContext<T>& c) {
  if (c.backward || !c.out.hT) return;
  const auto [T_, B, I, H] = c.spec.shape;
  std::copy_n(&c.out.y(T_ - 1, 0, 0), B * H, c.out.hT.data());
};

/// A product with zero that "cannot matter" lets the padding through.
constexpr auto padding_read = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.grads.params.weight_ih) return;
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    for (Index t = length_of(c, b); t < c.spec.shape.T; ++t) {
      c.grads.params.weight_ih[0] += T(0) * c.in.x(t, b, 0);
    }
  }
};

/// dy of padding is added to the gradient of the final state.
constexpr auto upstream_of_padding_read = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.dout.y || !c.grads.h0) return;
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    const Index length = length_of(c, b);
    if (length < c.spec.shape.T) c.grads.h0(b, 0) += c.dout.y(length, b, 0);
  }
};

constexpr auto dx_of_padding_not_cleared = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.grads.x) return;
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    const Index length = length_of(c, b);
    if (length < c.spec.shape.T) c.grads.x(length, b, 0) = std::numeric_limits<T>::denorm_min();
  }
};

/// y keeps the last state, as some define it; here it is zero.
constexpr auto y_of_padding_is_last_state = []<class T>(FaultContext<T>& c) {
  if (c.backward || !c.out.hT) return;
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    for (Index t = length_of(c, b); t < c.spec.shape.T; ++t) {
      std::copy_n(&c.out.hT(b, 0), c.spec.shape.H, &c.out.y(t, b, 0));
    }
  }
};

constexpr auto empty_sequence_touched = []<class T>(FaultContext<T>& c) {
  if (c.backward || !c.out.hT) return;
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    if (length_of(c, b) == 0) nudge(c.out.hT(b, 0));
  }
};

constexpr auto final_state_rounded = []<class T>(FaultContext<T>& c) {
  if (!c.backward && c.out.hT) nudge(c.out.hT[0]);
};

constexpr auto gate_off_has_gradient = []<class T>(FaultContext<T>& c) {
  const Index H = c.spec.shape.H;
  if (c.backward && c.grads.params.bias_hh) {
    c.grads.params.bias_hh[H] = std::numeric_limits<T>::denorm_min();
  }
};

/// What forward made of the gate that is off, left in the rows of its gradient.
constexpr auto gate_off_not_cleared = []<class T>(FaultContext<T>& c) {
  const auto& dw = c.grads.params.weight_ih;
  if (!c.backward || !dw) return;
  std::copy_n(dw.data() + dw.size() / 2, dw.size() / 4, dw.data());
};

template <class S>
PlantedFault of(const char* name, S spoil, const char* case_name, const char* check,
                const char* tensor, const char* time_step = "") {
  PlantedFault fault{name, "lengths", case_name, check, tensor, time_step};
  fault.in_plans = Fault::make(name, spoil);
  return fault;
}

PlantedFault mistaken_in(const char* name, Mistake mistake, const char* case_name,
                         const char* tensor, const char* time_step) {
  PlantedFault fault{name, "lengths", case_name, "equality", tensor, time_step};
  fault.in_plans = mistaken(mistake);
  return fault;
}

}  // namespace

std::vector<PlantedFault> length_faults() {
  return {
      of("length off by one", one_step_short, lstm, "equality", "y", "step 49 of 50"),
      of("length off by one (gru)", one_step_short, small_gru, "equality", "hT"),
      of("sorted batch not put back", not_unsorted, small_lstm, "equality", "hT"),
      of("hT taken at T, not at its own end", final_state_at_last_step, small_rnn, "equality",
         "hT"),
      mistaken_in("dhT lost for shorter sequences", Mistake::dhT_at_last_step_only, small_gru,
                  "grad.weight_hh_l0", "final state (dhT, dcT)"),
      of("padding of x read: 0 * x", padding_read, lstm, "equality", "grad.weight_ih_l0"),
      of("padding of dy read", upstream_of_padding_read, small_rnn, "equality", "grad.h0"),
      of("padding of dx not cleared", dx_of_padding_not_cleared, lstm, "padding", "grad.x",
         "step 1"),
      of("padding of y holds the last state", y_of_padding_is_last_state, small_gru, "padding",
         "y"),
      of("sequence of length 0 touched", empty_sequence_touched, with_empty, "final-state", "hT",
         "no live step"),
      of("hT not a copy of y: last bit", final_state_rounded, "lstm/plain/T50-B3-I5-H17",
         "final-state", "hT", "step 49"),
      of("gate that is off has a gradient", gate_off_has_gradient,
         "lstm:forget_gate=off/plain/T7-B3-I5-H4", "no-effect", "grad.bias_hh_l0"),
      of("rows of the gate that is off not cleared", gate_off_not_cleared,
         "lstm:input_gate=off/plain/T7-B3-I5-H4", "no-effect", "grad.weight_ih_l0"),
  };
}

}  // namespace bptt::verify
