#include "verify/faults.hpp"

#include <cmath>

namespace bptt::verify {
namespace {

/// The steps first..last of a time-major tensor.
template <class T>
View<T> steps(const View<T>& view, Index first, Index count) {
  if (!view) return {};
  const Extents& e = view.extents();
  return View<T>(view.data() + first * e[1] * e[2], {count, e[1], e[2]});
}

/// Naive over a part of the time steps, from given states, into grads of its own.
template <Real T>
struct Part {
  Part(FaultContext<T>& c, Index first, Index count)
      : spec(part_spec(c.spec, count)), result(spec) {
    // The states before the part: a forward pass over what comes before it.
    if (first > 0) {
      Problem<T> before(part_spec(c.spec, first));
      auto in = c.in;
      in.x = steps(c.in.x, 0, first);
      naive::make_plan<T>(before.spec())->forward(c.params, in, before.out);
      copy(before.out.hT, result.in.h0);
      copy(before.out.cT, result.in.c0);
    } else {
      copy(c.in.h0, result.in.h0);
      copy(c.in.c0, result.in.c0);
    }
    copy(steps(c.in.x, first, count), result.in.x);
    copy(steps(c.dout.y, first, count), result.dout.y);
    const bool at_end = first + count == c.spec.shape.T;
    if (at_end) {
      copy(c.dout.hT, result.dout.hT);
      copy(c.dout.cT, result.dout.cT);
    }
    const auto plan = naive::make_plan<T>(spec);
    plan->forward(c.params, result.in, result.out);
    plan->backward(c.params, result.in, result.dout, result.grads);
  }

  static Spec part_spec(Spec spec, Index count) {
    spec.shape.T = count;
    return spec;
  }
  template <class From>
  static void copy(const View<From>& from, const View<T>& to) {
    if (from && to) std::copy(from.begin(), from.end(), to.begin());
  }

  Spec spec;
  Problem<T> result;
};

template <class T>
void copy(const View<T>& from, const View<T>& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

/// No gradient flows from the second half of the sequence into the first.
constexpr auto truncated = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const Index half = c.spec.shape.T / 2;
  Part<T> early(c, 0, half), late(c, half, c.spec.shape.T - half);
  const auto sum = [](const View<T>& a, const View<T>& b, const View<T>& to) {
    for (Index e = 0; e < to.size(); ++e) to[e] = a[e] + b[e];
  };
  const auto &a = early.result.grads, &b = late.result.grads;
  sum(a.params.weight_ih, b.params.weight_ih, c.grads.params.weight_ih);
  sum(a.params.weight_hh, b.params.weight_hh, c.grads.params.weight_hh);
  sum(a.params.bias_ih, b.params.bias_ih, c.grads.params.bias_ih);
  sum(a.params.bias_hh, b.params.bias_hh, c.grads.params.bias_hh);
  copy(a.x, steps(c.grads.x, 0, half));
  copy(a.h0, c.grads.h0);
  copy(a.c0, c.grads.c0);
};

constexpr auto early_dx_is_zero = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto early = steps(c.grads.x, 0, c.spec.shape.T / 5);
  std::fill(early.begin(), early.end(), T(0));
};

constexpr auto dw_hh_without_first_step = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  copy(Part<T>(c, 1, c.spec.shape.T - 1).result.grads.params.weight_hh, c.grads.params.weight_hh);
};

constexpr auto bias_without_first_step = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  copy(Part<T>(c, 1, c.spec.shape.T - 1).result.grads.params.bias_hh, c.grads.params.bias_hh);
};

constexpr auto dh0_is_zero = []<class T>(FaultContext<T>& c) {
  if (c.backward) std::fill(c.grads.h0.begin(), c.grads.h0.end(), T(0));
};

constexpr auto gates_swapped = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto& dw = c.grads.params.weight_ih;
  const Index block = dw.size() / c.spec.cell.gates();
  std::swap_ranges(dw.begin(), dw.begin() + block, dw.begin() + block);
};

constexpr auto final_h_gradient_ignored = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  auto dout = c.dout;
  dout.hT = {};
  c.compute_with(c.spec, c.in, dout);
};

constexpr auto final_c_gradient_ignored = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  auto dout = c.dout;
  dout.cT = {};
  c.compute_with(c.spec, c.in, dout);
};

constexpr auto h0_ignored = []<class T>(FaultContext<T>& c) {
  auto in = c.in;
  in.h0 = {};
  c.compute_with(c.spec, in, c.dout);
};

constexpr auto length_off_by_one = []<class T>(FaultContext<T>& c) {
  std::vector<Index> lengths(c.in.lengths.begin(), c.in.lengths.end());
  --lengths[1];
  auto in = c.in;
  in.lengths = lengths;
  c.compute_with(c.spec, in, c.dout);
};

/// A product with zero that "cannot matter" lets the padding through.
constexpr auto padding_read = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto [T_, B, I, H] = c.spec.shape;
  for (Index b = 0; b < B; ++b) {
    for (Index t = c.in.lengths[static_cast<std::size_t>(b)]; t < T_; ++t) {
      c.grads.params.weight_ih[0] += T(0) * c.in.x(t, b, 0);
    }
  }
};

constexpr auto padding_not_cleared = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto [T_, B, I, H] = c.spec.shape;
  for (Index b = 0; b < B; ++b) {
    const Index length = c.in.lengths[static_cast<std::size_t>(b)];
    if (length < T_) c.grads.x(length, b, 0) = std::numeric_limits<T>::denorm_min();
  }
};

/// The middle element by magnitude of one time step of dx.
constexpr auto one_element_slightly_off = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const auto step = steps(c.grads.x, c.spec.shape.T / 2, 1);
  std::vector<T*> order;
  for (T& value : step) order.push_back(&value);
  std::sort(order.begin(), order.end(), [](T* a, T* b) { return std::abs(*a) < std::abs(*b); });
  *order[order.size() / 2] *= std::same_as<T, float> ? T(1 + 1e-4) : T(1 + 1e-9);
};

constexpr auto one_nan = []<class T>(FaultContext<T>& c) {
  if (!c.backward) c.out.y(2, 0, 1) = std::numeric_limits<T>::quiet_NaN();
};

constexpr auto one_infinity = []<class T>(FaultContext<T>& c) {
  if (c.backward) c.grads.params.weight_hh[3] = std::numeric_limits<T>::infinity();
};

/// Right on a fresh plan; later calls see a little of the workspace of the call before.
constexpr auto stale_workspace = []<class T>(FaultContext<T>& c) {
  if (c.backward && c.call > 2) {
    T& element = c.grads.params.weight_hh[1];
    element = std::nextafter(element, std::numeric_limits<T>::infinity());
  }
};

constexpr auto bits_depend_on_threads = []<class T>(FaultContext<T>& c) {
  if (c.backward && c.exec.threads > 1) {
    T& element = c.grads.params.weight_hh[1];
    element = std::nextafter(element, std::numeric_limits<T>::infinity());
  }
};

constexpr auto final_state_rounded = []<class T>(FaultContext<T>& c) {
  if (!c.backward) c.out.hT[0] = std::nextafter(c.out.hT[0], std::numeric_limits<T>::infinity());
};

constexpr auto other_update = []<class T>(FaultContext<T>& c) {
  Spec spec = c.spec;
  spec.cell.update = spec.cell.update == GruUpdate::take ? GruUpdate::keep : GruUpdate::take;
  c.compute_with(spec, c.in, c.dout);
};

constexpr auto other_reset_backward = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  Spec spec = c.spec;
  spec.cell.reset =
      spec.cell.reset == GruReset::before_matmul ? GruReset::after_matmul : GruReset::before_matmul;
  c.compute_with(spec, c.in, c.dout);
};

constexpr auto last_row_lost = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  std::vector<T> dy(c.dout.y.begin(), c.dout.y.end());
  const auto [T_, B, I, H] = c.spec.shape;
  for (Index t = 0; t < T_; ++t) {
    std::fill_n(dy.begin() + (t * B + B - 1) * H, H, T(0));
  }
  std::vector<T> dx(c.grads.x.begin(), c.grads.x.end());
  auto dout = c.dout;
  dout.y = View<const T>(dy.data(), c.dout.y.extents());
  c.compute_with(c.spec, c.in, dout);
  std::copy(dx.begin(), dx.end(), c.grads.x.begin());
};

constexpr auto transposed = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const Index H = c.spec.shape.H;
  const auto& dw = c.grads.params.weight_hh;
  for (Index g = 0; g < c.spec.cell.gates(); ++g) {
    for (Index j = 0; j < H; ++j) {
      for (Index k = 0; k < j; ++k) std::swap(dw(g * H + j, k), dw(g * H + k, j));
    }
  }
};

constexpr auto rows_swapped = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  const Index H = c.spec.shape.H;
  std::swap_ranges(c.grads.h0.begin(), c.grads.h0.begin() + H, c.grads.h0.begin() + H);
};

}  // namespace

const std::vector<PlantedFault>& planted_faults() {
  constexpr const char* deep = "lstm/plain/T50-B3-I5-H17";
  constexpr const char* gru = "gru/plain/T50-B3-I5-H17";
  constexpr const char* lengths = "lstm/lengths/T50-B3-I5-H17";
  constexpr const char* weight_hh = "grad.weight_hh_l0";
  static const std::vector<PlantedFault> faults = {
      {Fault::make("truncated_bptt", truncated), deep, "equality", weight_hh,
       "upstream step 25 on"},
      {Fault::make("truncated_bptt_gru", truncated), gru, "equality", "grad.x",
       "steps 0..24 of 50"},
      {Fault::make("early_dx_is_zero", early_dx_is_zero), deep, "equality", "grad.x",
       "steps 0..9 of 50"},
      {Fault::make("dw_hh_without_first_step", dw_hh_without_first_step), deep, "equality",
       weight_hh, "upstream step 0 on"},
      {Fault::make("bias_without_first_step", bias_without_first_step), deep, "equality",
       "grad.bias_hh_l0", "upstream step 0 on"},
      {Fault::make("dh0_is_zero", dh0_is_zero), deep, "equality", "grad.h0", "upstream step 0 on"},
      {Fault::make("gates_swapped", gates_swapped), deep, "equality", "grad.weight_ih_l0",
       "upstream step 0 on"},
      {Fault::make("final_h_gradient_ignored", final_h_gradient_ignored), gru, "equality",
       weight_hh, "final state (dhT, dcT)"},
      {Fault::make("final_c_gradient_ignored", final_c_gradient_ignored), deep, "equality",
       "grad.c0", "final state (dhT, dcT)"},
      {Fault::make("h0_ignored", h0_ignored), deep, "equality", "y", "steps 0.."},
      {Fault::make("length_off_by_one", length_off_by_one), lengths, "equality", "y",
       "step 49 of 50"},
      {Fault::make("length_off_by_one_state", length_off_by_one), lengths, "equality", "hT", ""},
      {Fault::make("padding_read", padding_read), lengths, "equality", "grad.weight_ih_l0", ""},
      {Fault::make("padding_not_cleared", padding_not_cleared), lengths, "padding", "grad.x",
       "step 1"},
      {Fault::make("one_element_slightly_off", one_element_slightly_off), deep, "equality",
       "grad.x", "step 25 of 50"},
      {Fault::make("one_nan", one_nan), deep, "equality", "y", "step 2 of 50"},
      {Fault::make("one_infinity", one_infinity), deep, "equality", weight_hh,
       "upstream step 0 on"},
      {Fault::make("stale_workspace", stale_workspace), deep, "reuse", weight_hh, ""},
      {Fault::make("bits_depend_on_threads", bits_depend_on_threads), deep, "threads", weight_hh,
       ""},
      {Fault::make("final_state_rounded", final_state_rounded), deep, "final-state", "hT",
       "step 49"},
      {Fault::make("other_update", other_update), gru, "equality", "y", "steps 0..49 of 50"},
      {Fault::make("other_reset_backward", other_reset_backward), gru, "equality", weight_hh,
       "upstream step 0 on"},
      {Fault::make("last_row_lost", last_row_lost), deep, "equality", weight_hh,
       "upstream step 0 on"},
      {Fault::make("transposed", transposed), deep, "equality", weight_hh, "upstream step 0 on"},
      {Fault::make("rows_swapped", rows_swapped), deep, "equality", "grad.h0",
       "upstream step 0 on"},
  };
  return faults;
}

}  // namespace bptt::verify
