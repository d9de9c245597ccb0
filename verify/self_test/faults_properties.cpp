// Faults that no comparison with a reference sees, because the inputs and shapes of its cases do
// not bring them out: one at least for each check of verify/properties, and for the large shapes of
// verify/directions.hpp.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/spoilers.hpp"

namespace bptt::verify {
namespace {

constexpr const char* lstm = "lstm/plain/T7-B3-I5-H4";
constexpr const char* lstm_lengths = "lstm/lengths/T7-B3-I5-H4";
constexpr const char* gru = "gru/plain/T7-B3-I5-H4";
constexpr const char* relu = "rnn:relu/plain/T7-B3-I5-H4";
constexpr const char* linear = "rnn:identity/plain/T7-B3-I5-H4";
constexpr const char* mirror = "lstm/2-layers-bidirectional-lengths/T11-B7-I3-H17";

template <Real T>
void nudge_weight_gradient(FaultContext<T>& c) {
  if (c.backward && c.grads.params.weight_hh) nudge(c.grads.params.weight_hh[1]);
}

/// Where the same data comes again and again, for once.
constexpr auto race = []<class T>(FaultContext<T>& c) {
  struct Seen {
    std::vector<T> data;
    int times = 0;
  };
  if (!c.backward) return;
  auto& seen = memory_of<Seen>(c);
  std::vector<T> now;
  const auto add = [&](const TensorInfo&, const View<const T>& view) {
    now.insert(now.end(), view.begin(), view.end());
  };
  for_each(c.spec, c.params, add);
  for_each(c.spec, c.in, add);
  for_each(c.spec, c.dout, add);
  const bool again = now.size() == seen.data.size() &&
                     std::memcmp(now.data(), seen.data.data(), now.size() * sizeof(T)) == 0;
  seen.times = again ? seen.times + 1 : 0;
  seen.data = std::move(now);
  constexpr int seldom = 9;
  if (seen.times == seldom) nudge_weight_gradient(c);
};

constexpr auto rows_of_other_lengths = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  auto& before = memory_of<std::vector<Index>>(c);
  const std::vector<Index> now(c.in.lengths.begin(), c.in.lengths.end());
  if (!before.empty() && before != now) nudge_weight_gradient(c);
  before = now;
};

/// Which plan ran last, of all there are.
thread_local const void* last_plan = nullptr;
constexpr auto state_shared_by_plans = []<class T>(FaultContext<T>& c) {
  if (c.backward && last_plan != &c.memory) nudge_weight_gradient(c);
  last_plan = &c.memory;
};

constexpr auto tape_added_to = []<class T>(FaultContext<T>& c) {
  int& forwards = memory_of<int>(c);
  if (!c.backward) {
    ++forwards;
    return;
  }
  if (forwards > 1) nudge_weight_gradient(c);
  forwards = 0;
};

constexpr auto path_of_some_plans = []<class T>(FaultContext<T>& c) {
  if (c.plan_number % 3 == 2) nudge_weight_gradient(c);
};

constexpr auto path_of_aligned_data = []<class T>(FaultContext<T>& c) {
  constexpr std::uintptr_t line = 64;
  if (reinterpret_cast<std::uintptr_t>(c.in.x.data()) % line != 0) nudge_weight_gradient(c);
};

constexpr auto more_threads_than_rows = []<class T>(FaultContext<T>& c) {
  if (c.exec.threads > c.spec.shape.B) nudge_weight_gradient(c);
};

/// Sorted the wrong way round where lengths rise.
constexpr auto rising_lengths_mixed_up = []<class T>(FaultContext<T>& c) {
  const auto [T_, B, I, H] = c.spec.shape;
  const auto& lengths = c.in.lengths;
  if (c.backward || !c.out.hT || B < 3 || !std::is_sorted(lengths.begin(), lengths.end())) return;
  if (!c.spec.lengths || lengths.front() == lengths.back()) return;
  std::swap_ranges(c.out.hT.begin(), c.out.hT.begin() + H, c.out.hT.end() - H);
};

constexpr auto rows_beyond_130_lost = []<class T>(FaultContext<T>& c) {
  constexpr Index most = 130;
  const auto [T_, B, I, H] = c.spec.shape;
  if (!c.backward || !c.grads.h0 || B <= most) return;
  std::fill(c.grads.h0.begin() + most * H, c.grads.h0.end(), T(0));
};

/// A product with zero, NaN masked out before it: that of Inf shows.
constexpr auto masked_padding_read = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.grads.params.weight_ih) return;
  for (Index b = 0; b < c.spec.shape.B; ++b) {
    for (Index t = length_of(c, b); t < c.spec.shape.T; ++t) {
      const T x = c.in.x(t, b, 0);
      if (!std::isnan(x)) c.grads.params.weight_ih[0] += T(0) * x;
    }
  }
};

/// Backward with a changed dy, where change() changes any of it.
template <Real T, class Change>
void with_other_dy(FaultContext<T>& c, Change change) {
  if (!c.backward || !c.dout.y) return;
  std::vector<T> dy(c.dout.y.begin(), c.dout.y.end());
  for (T& value : dy) value = change(value);
  if (std::equal(dy.begin(), dy.end(), c.dout.y.begin(),
                 [](T a, T b) { return a == b || std::isnan(a); })) {
    return;
  }
  auto dout = c.dout;
  dout.y = View<const T>(dy.data(), c.dout.y.extents());
  c.compute_with(c.spec, c.in, dout);
}

/// A path for sparse dy, that takes small for none: where most of it is small beside the rest.
constexpr auto small_upstream_dropped = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.dout.y) return;
  // Not in the padding, or padding-values would see it as well.
  std::vector<T> sizes;
  const auto& [steps, batch, inputs, units] = c.spec.shape;
  for (Index b = 0; b < batch; ++b) {
    const Index length = c.spec.lengths ? c.in.lengths[static_cast<std::size_t>(b)] : steps;
    for (Index t = 0; t < length; ++t) {
      for (Index j = 0; j < units; ++j) {
        const T value = c.dout.y(t, b, j);
        if (std::isfinite(value)) sizes.push_back(std::abs(value));
      }
    }
  }
  if (sizes.empty()) return;
  std::sort(sizes.begin(), sizes.end());
  const T small = sizes.back() / T(64);
  if (sizes[sizes.size() / 2] >= small) return;
  with_other_dy(c, [&](T v) { return std::abs(v) < small ? T(0) : v; });
};

constexpr auto upstream_clipped = []<class T>(FaultContext<T>& c) {
  with_other_dy(c, [](T v) { return std::isfinite(v) ? std::clamp(v, T(-100), T(100)) : v; });
};

constexpr auto denormals_flushed = []<class T>(FaultContext<T>& c) {
  with_other_dy(c, [](T v) { return std::fpclassify(v) == FP_SUBNORMAL ? T(0) : v; });
};

/// dy / |dy|, and times |dy| again.
constexpr auto divided_by_norm = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.grads.h0) return;
  const auto is_zero = [](const View<const T>& view) {
    return std::all_of(view.begin(), view.end(), [](T v) { return v == T(0) || std::isnan(v); });
  };
  if (is_zero(c.dout.y) && is_zero(c.dout.hT) && is_zero(c.dout.cT)) {
    c.grads.h0[0] = std::numeric_limits<T>::quiet_NaN();
  }
};

constexpr auto short_remainder_lost = []<class T>(FaultContext<T>& c) {
  constexpr Index chunk = 40, least = 6;
  const Index rest = c.spec.shape.T - chunk;
  if (!c.backward || !c.grads.x || rest < 1 || rest >= least) return;
  const auto lost = steps(c.grads.x, chunk, rest);
  std::fill(lost.begin(), lost.end(), T(0));
};

/// Of the reverse directions only, in backend and reference, each right for what it computes.
constexpr auto reverse_is_another_cell = []<class T>(FaultContext<T>& c) {
  if (c.plan_number % 2 == 1) add_mistake(Mistake::forget_bias_of_one_added, c);
};

constexpr auto last_unit_of_96_lost = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.spec.shape.H != 96 || !c.grads.params.bias_hh) return;
  *(c.grads.params.bias_hh.end() - 1) = T(0);
};

constexpr auto units_beyond_96_lost = []<class T>(FaultContext<T>& c) {
  constexpr Index most = 96;
  const auto& dw = c.grads.params.weight_hh;
  if (!c.backward || !dw) return;
  for (Index e = 0; e < dw.size(); ++e) {
    if (e % c.spec.shape.H >= most) dw[e] = T(0);
  }
};

constexpr auto sigmoid_overflows = []<class T>(FaultContext<T>& c) {
  if (c.backward || !c.spec.cell.bias) return;
  for (Index j = 0; j < c.spec.shape.H; ++j) {
    const T b = std::abs(c.params.bias_ih[j]);
    if (b > T(90) && b < T(1e6)) c.out.y(0, 0, j) = std::numeric_limits<T>::quiet_NaN();
  }
};

constexpr auto tiny_weights_pruned = []<class T>(FaultContext<T>& c) {
  std::vector<T> w(c.params.weight_hh.begin(), c.params.weight_hh.end());
  bool any = false;
  for (T& value : w) {
    if (value == T(0) || !(std::abs(value) < T(1e-10))) continue;
    value = T(0);
    any = true;
  }
  if (!any) return;
  auto params = c.params;
  params.weight_hh = View<const T>(w.data(), c.params.weight_hh.extents());
  c.compute_with(c.spec, params, c.in, c.dout);
};

template <class T>
bool has_infinity(const FaultContext<T>& c) {
  bool found = false;
  const auto look = [&](const TensorInfo&, const View<const T>& view) {
    found = found || std::any_of(view.begin(), view.end(), [](T v) { return std::isinf(v); });
  };
  for_each(c.spec, c.params, look);
  for_each(c.spec, c.in, look);
  return found;
}

constexpr auto overflow_clamped = []<class T>(FaultContext<T>& c) {
  if (c.backward || has_infinity(c)) return;
  for (T& value : c.out.y) {
    if (std::isinf(value)) value = std::copysign(std::numeric_limits<T>::max(), value);
  }
};

constexpr auto sign_bit_of_zero = []<class T>(FaultContext<T>& c) {
  if (!c.backward || !c.grads.x) return;
  for (Index e = 0; e < c.in.x.size(); ++e) {
    if (c.in.x[e] == T(0) && std::signbit(c.in.x[e])) c.grads.x[e] = T(1);
  }
};

constexpr auto nan_swallowed = []<class T>(FaultContext<T>& c) {
  if (c.backward || has_infinity(c)) return;
  for (T& value : c.out.y) value = std::isnan(value) ? T(0) : value;
};

constexpr auto infinite_input_clamped = []<class T>(FaultContext<T>& c) {
  if (!std::any_of(c.in.x.begin(), c.in.x.end(), [](T v) { return std::isinf(v); })) return;
  std::vector<T> x(c.in.x.begin(), c.in.x.end());
  for (T& v : x) v = std::isinf(v) ? std::copysign(T(1e4), v) : v;
  auto in = c.in;
  in.x = View<const T>(x.data(), c.in.x.extents());
  c.compute_with(c.spec, in, c.dout);
};

/// In the rows of a gate that is off, where backward rebuilds gates.
constexpr auto rebuilt_gate_that_is_off = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.exec.recompute != Recompute::gates || !c.grads.params.bias_hh) return;
  c.grads.params.bias_hh[c.spec.shape.H] = std::numeric_limits<T>::denorm_min();
};

template <class S>
PlantedFault of(const char* name, S spoil, const char* case_name, const char* check) {
  PlantedFault fault{name, "properties", case_name, check};
  fault.in_plans = Fault::make(name, spoil);
  return fault;
}

PlantedFault in_threads(PlantedFault fault) {
  fault.threads = {1, 2};
  fault.needs_thread_promise = true;
  return fault;
}
PlantedFault recomputing(PlantedFault fault) {
  fault.recompute = true;
  return fault;
}
PlantedFault shared_by_reference(PlantedFault fault) {
  fault.dtypes = {Dtype::f64};
  return fault;
}

}  // namespace

std::vector<PlantedFault> property_faults() {
  PlantedFault reversed{"reverse direction: forget bias of 1, shared", "properties", mirror,
                        "time-reversal"};
  reversed.in_plans = Fault::make_for_all(reversed.name, reverse_is_another_cell);
  PlantedFault empty{"extents below 1 taken for 1", "properties", gru, "empty-extents"};
  empty.spec_seen = [](Spec spec) {
    for (Index* extent : {&spec.shape.T, &spec.shape.B, &spec.shape.I, &spec.shape.H}) {
      *extent = std::max<Index>(*extent, 1);
    }
    return spec;
  };
  return {
      of("race: seldom another order of a sum", race, lstm, "rerun"),
      of("rows of longer sequences before still there", rows_of_other_lengths, lstm_lengths,
         "other-lengths"),
      of("state shared by plans", state_shared_by_plans, gru, "neighbour-plan"),
      of("second forward adds to the tape", tape_added_to, gru, "second-forward"),
      of("every third plan takes another path", path_of_some_plans, lstm, "fresh-plan"),
      of("another path for aligned data", path_of_aligned_data, lstm, "alignment"),
      in_threads(
          of("last bit: more threads than rows", more_threads_than_rows, lstm, "thread-counts")),
      of("rows mixed up where lengths rise", rising_lengths_mixed_up, lstm_lengths,
         "batch-permutation"),
      of("dh0 lost beyond 130 rows", rows_beyond_130_lost, gru, "batch-split"),
      of("padding read: 0 * x, NaN masked out", masked_padding_read, lstm_lengths,
         "padding-values"),
      of("small dy beside large ones dropped", small_upstream_dropped, lstm, "linearity"),
      of("dy clipped at 100", upstream_clipped, lstm, "scaling"),
      of("division by |dy|", divided_by_norm, lstm, "zero-upstream"),
      of("dx lost in a short last chunk of time", short_remainder_lost, lstm, "concatenation"),
      shared_by_reference(std::move(reversed)),
      std::move(empty),
      of("last unit of 96 lost in db_hh", last_unit_of_96_lost, lstm, "extents"),
      of("tile beyond 96 units lost in dW_hh", units_beyond_96_lost, lstm, "direction"),
      of("sigmoid overflows beyond 90", sigmoid_overflows, lstm, "saturation"),
      of("denormal dy flushed to zero", denormals_flushed, lstm, "denormals"),
      of("weights below 1e-10 pruned", tiny_weights_pruned, gru, "extreme-weights"),
      of("overflow clamped to the largest number", overflow_clamped, linear, "overflow"),
      of("-0 taken for negative", sign_bit_of_zero, relu, "signed-zeros"),
      of("NaN in y swallowed", nan_swallowed, lstm, "planted-nan"),
      of("Inf in x clamped", infinite_input_clamped, lstm, "planted-inf"),
      recomputing(of("gate that is off rebuilt, with a gradient", rebuilt_gate_that_is_off,
                     "lstm:forget_gate=off/plain/T7-B3-I5-H4", "no-effect")),
  };
}

}  // namespace bptt::verify
