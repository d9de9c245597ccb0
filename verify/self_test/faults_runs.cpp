// Faults that come and go: with what ran before on the same plan, with thread counts, with the way
// memory is saved.
#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/spoilers.hpp"

namespace bptt::verify {
namespace {

constexpr const char* lstm = "lstm/plain/T7-B3-I5-H4";
constexpr const char* gru = "gru/plain/T7-B3-I5-H4";
constexpr const char* rnn = "rnn/plain/T7-B3-I5-H4";
constexpr const char* threaded = "lstm/plain/T11-B7-I3-H17";

/// Determinism of layers is looked at from all sides; of what is made of them, only here.
constexpr const char* stack = "gru/2-layers/T5-B2-I4-H3";

constexpr const char* weight_hh = "grad.weight_hh_l0";

template <Scalar T>
struct Kept {
  std::vector<T> values;
};

/// What the call before left in the workspace gets into one element.
constexpr auto stale_workspace = []<class T>(FaultContext<T>& c) {
  const auto& dw = c.grads.params.weight_hh;
  if (!c.backward || !dw) return;
  auto& kept = memory_of<Kept<T>>(c).values;
  const T now = dw[1];
  if (!kept.empty()) dw[1] += kept[0];
  kept.assign(1, now);
};

/// Gradients of all calls are summed up.
constexpr auto never_cleared = []<class T>(FaultContext<T>& c) {
  const auto& dw = c.grads.params.weight_ih;
  if (!c.backward || !dw) return;
  auto& sum = memory_of<Kept<T>>(c).values;
  sum.resize(static_cast<std::size_t>(dw.size()));
  for (Index e = 0; e < dw.size(); ++e) dw[e] = sum[static_cast<std::size_t>(e)] += dw[e];
};

/// W_hh is packed at a plan's first call, and not again when the weights have changed.
constexpr auto packed_once = []<class T>(FaultContext<T>& c) {
  auto& packed = memory_of<Kept<T>>(c).values;
  const auto& w = c.params.weight_hh;
  if (packed.empty()) packed.assign(w.begin(), w.end());
  if (std::equal(w.begin(), w.end(), packed.begin())) return;
  auto params = c.params;
  params.weight_hh = View<const T>(packed.data(), w.extents());
  c.compute_with(c.spec, params, c.in, c.dout);
};

constexpr auto bits_depend_on_threads = []<class T>(FaultContext<T>& c) {
  if (c.backward && c.exec.threads > 1 && c.grads.params.weight_hh) {
    nudge(c.grads.params.weight_hh[1]);
  }
};

/// A thread's part of a sum is lost.
constexpr auto part_of_thread_lost = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.exec.threads < 2 || !c.dout.y) return;
  std::vector<T> dy(c.dout.y.begin(), c.dout.y.end());
  const auto [T_, B, I, H] = c.spec.shape;
  for (Index t = 0; t < T_; ++t) std::fill_n(dy.begin() + (t * B + B / 2) * H, H, T(0));
  auto dout = c.dout;
  dout.y = View<const T>(dy.data(), c.dout.y.extents());
  c.compute_with(c.spec, c.in, dout);
};

template <Recompute way>
constexpr auto rebuilt_gates_wrong = []<class T>(FaultContext<T>& c) {
  if (!c.backward || c.exec.recompute != way) return;
  for (T& value : c.grads.params.weight_hh) value *= T(1.01);
};

/// Of f64, every product is computed in f32.
constexpr auto narrowed = []<class T>(FaultContext<T>& c) {
  if (!c.backward) return;
  for (T& value : c.grads.params.weight_ih) value = static_cast<T>(static_cast<float>(value));
};

template <class S>
PlantedFault of(const char* name, S spoil, const char* case_name, const char* check,
                const char* tensor, const char* time_step = "") {
  PlantedFault fault{name, "runs", case_name, check, tensor, time_step};
  fault.in_plans = Fault::make(name, spoil);
  return fault;
}
PlantedFault in_threads(PlantedFault fault) {
  fault.threads = {1, 2};
  return fault;
}
PlantedFault promised(PlantedFault fault) {
  fault.needs_thread_promise = true;
  return in_threads(std::move(fault));
}
PlantedFault recomputing(PlantedFault fault) {
  fault.recompute = true;
  return fault;
}

}  // namespace

std::vector<PlantedFault> run_faults() {
  std::vector<PlantedFault> faults = {
      of("stale workspace: the call before in dW_hh", stale_workspace, lstm, "reuse", weight_hh),
      of("stale workspace in a stack", stale_workspace, stack, "reuse", "grad.weight_hh_l1"),
      of("gradients summed over all calls", never_cleared, gru, "reuse", "grad.weight_ih_l0"),
      of("weights packed once, at the first call", packed_once, lstm, "reuse", "y"),
      promised(of("last bit depends on the threads", bits_depend_on_threads, threaded, "threads",
                  weight_hh)),
      promised(of("last bit of a stack depends on the threads", bits_depend_on_threads, stack,
                  "threads", "grad.weight_hh_l0")),
      in_threads(of("a thread's part of dW lost", part_of_thread_lost, threaded, "equality",
                    weight_hh, "upstream step 0 on")),
      recomputing(of("gates rebuilt wrong", rebuilt_gates_wrong<Recompute::gates>, lstm, "equality",
                     weight_hh, "upstream step 0 on")),
      recomputing(of("state at a checkpoint wrong", rebuilt_gates_wrong<Recompute::checkpoint>, gru,
                     "equality", weight_hh, "upstream step 0 on")),
      of("f64 accumulated in f32", narrowed, rnn, "equality", "grad.weight_ih_l0",
         "upstream step 0 on"),
  };
  faults.back().dtypes = {Dtype::f64};
  return faults;
}

}  // namespace bptt::verify
