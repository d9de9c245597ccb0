#include "impls/torch/plan.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "impls/api/error.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/peer/stopwatch.hpp"

namespace bptt::torch {
namespace {

using at::Tensor;
using peer::Stopwatch;

template <Real T>
constexpr at::ScalarType scalar_type = std::same_as<T, float> ? at::kFloat : at::kDouble;

/// The calling thread's setting for the length of a scope: some threads for products, one
/// for everything else (docs/peers.md, "Settings").
class Threads {
 public:
  explicit Threads(int products) : blas_(products), before_(at::get_num_threads()) {
    at::set_num_threads(1);
  }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  linalg::BlasThreads blas_;
  int before_;
};

/// What PyTorch throws, as an error of this suite: its first line, without the call stack below.
template <class Body>
void translate(Body body) {
  try {
    body();
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    throw Error(ErrorKind::unavailable, "PyTorch: " + message.substr(0, message.find('\n')));
  }
}

/// The leaves of autograd's graph, on the caller's memory. All require gradients: which of them are
/// wanted is known only at backward, and autograd then computes no others.
struct Leaves {
  Tensor x;                     ///< [T,B,I]
  Tensor h0, c0;                ///< [1,B,H]; c0 of the lstm only
  std::vector<Tensor> weights;  ///< W_ih, W_hh and, with bias, b_ih, b_hh
};

/// What a layer gives, and behind it the graph with all that backward needs.
struct Results {
  Tensor y;       ///< [T,B,H]
  Tensor hT, cT;  ///< [1,B,H]; cT of the lstm only
};

Results run_layer(const Cell& cell, const Leaves& in) {
  constexpr std::int64_t layers = 1;
  constexpr double dropout = 0;
  constexpr bool train = true, bidirectional = false, batch_first = false;
  const auto run = [&](const auto& function, const auto& state) {
    return function(in.x, state, in.weights, cell.bias, layers, dropout, train, bidirectional,
                    batch_first);
  };
  Results out;
  switch (cell.kind) {
    case CellKind::lstm: {
      const Tensor states[] = {in.h0, in.c0};
      std::tie(out.y, out.hT, out.cT) =
          run([](auto&&... a) { return at::lstm(a...); }, at::TensorList(states));
      break;
    }
    case CellKind::gru:
      std::tie(out.y, out.hT) = run([](auto&&... a) { return at::gru(a...); }, in.h0);
      break;
    case CellKind::rnn:
      std::tie(out.y, out.hT) = cell.activation == Activation::relu
                                    ? run([](auto&&... a) { return at::rnn_relu(a...); }, in.h0)
                                    : run([](auto&&... a) { return at::rnn_tanh(a...); }, in.h0);
      break;
  }
  return out;
}

/// Elements of [T,B,H] that are alive at once at the most, as PyTorch 1.13's allocator counts them
/// (torch_test.cpp): at the end of forward, with the gates twice, as products of x and as kept for
/// backward.
Index live_activations(CellKind kind) {
  switch (kind) {
    case CellKind::lstm:
      return 12;
    case CellKind::gru:
      return 11;
    case CellKind::rnn:
      return 3;
  }
  return 0;
}

template <Real T>
class TorchPlan final : public Plan<T> {
 public:
  TorchPlan(const Spec& spec, const Exec& exec)
      : Plan<T>(spec, exec), zeros_(at::zeros({1, spec.shape.B, spec.shape.H}, scalar_type<T>)) {
    if (exec.bind_threads) linalg::bind_blas_threads();
  }

  std::size_t workspace_bytes() const override { return torch::workspace_bytes<T>(this->spec()); }
  LayoutSeconds layout_seconds() const override { return seconds_; }

 private:
  /// A tensor on our memory. [B,H] becomes [1,B,H]: PyTorch's states have an axis of layers.
  template <class U>
  static Tensor tensor_on(const View<U>& view, bool state = false) {
    std::vector<std::int64_t> sizes;
    if (state) sizes.push_back(1);
    for (int axis = 0; axis < view.extents().rank(); ++axis) sizes.push_back(view.extents()[axis]);
    return at::from_blob(const_cast<T*>(view.data()), sizes, scalar_type<T>);
  }
  Tensor state_on(const View<const T>& view) const {
    return (view ? tensor_on(view, true) : zeros_.detach()).requires_grad_();
  }

  Leaves leaves(const Params<const T>& w, const Inputs<const T>& in) const {
    Leaves all;
    all.x = tensor_on(in.x).requires_grad_();
    all.h0 = state_on(in.h0);
    if (this->spec().cell.has_cell_state()) all.c0 = state_on(in.c0);
    for (const auto& weight : {w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh}) {
      if (weight) all.weights.push_back(tensor_on(weight).requires_grad_());
    }
    return all;
  }

  struct Destination {
    View<T> to;
    bool is_parameter = false;
  };

  /// Copies a result to where the caller wants it; zero where autograd found no path to it.
  void bring(const Tensor& result, const Destination& destination) {
    const View<T>& to = destination.to;
    if (!to) return;
    if (!result.defined()) {
      std::fill(to.begin(), to.end(), T{0});
      return;
    }
    // Who uses PyTorch takes its tensors as they are. Only a parameter's gradient that autograd
    // gives transposed is copied by PyTorch as well, and its user pays for that.
    const bool users_pay = destination.is_parameter && !result.is_contiguous();
    const Stopwatch watch(users_pay ? seconds_.weights : seconds_.activations);
    std::copy_n(result.contiguous().template data_ptr<T>(), to.size(), to.data());
  }

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    const Threads threads(this->exec().threads);
    translate([&] {
      leaves_ = leaves(w, in);
      {
        const at::AutoGradMode record(true);
        results_ = run_layer(this->spec().cell, leaves_);
      }
      bring(results_.y, {out.y});
      bring(results_.hT, {out.hT});
      bring(results_.cT, {out.cT});
    });
  }

  void do_backward(const Params<const T>&, const Inputs<const T>&, const OutputGrads<const T>& dout,
                   const Grads<T>& grads) override {
    const Threads threads(this->exec().threads);
    translate([&] {
      // The graph ends with this call, whatever becomes of it.
      const Leaves leaves = std::exchange(leaves_, {});
      const Results results = std::exchange(results_, {});
      std::vector<Tensor> from, gradients_of_from;
      const auto given = [&](const Tensor& result, const View<const T>& gradient, bool state) {
        if (!gradient) return;
        from.push_back(result);
        gradients_of_from.push_back(tensor_on(gradient, state));
      };
      given(results.y, dout.y, false);
      given(results.hT, dout.hT, true);
      given(results.cT, dout.cT, true);

      std::vector<Tensor> wanted;
      std::vector<Destination> destinations;
      const auto want = [&](const Tensor& leaf, const View<T>& to, bool is_parameter) {
        if (!to) return;
        wanted.push_back(leaf);
        destinations.push_back({to, is_parameter});
      };
      want(leaves.x, grads.x, false);
      want(leaves.h0, grads.h0, false);
      want(leaves.c0, grads.c0, false);
      const View<T> of_weights[] = {grads.params.weight_ih, grads.params.weight_hh,
                                    grads.params.bias_ih, grads.params.bias_hh};
      for (std::size_t k = 0; k < leaves.weights.size(); ++k) {
        want(leaves.weights[k], of_weights[k], true);
      }

      std::vector<Tensor> gradients(wanted.size());
      if (!from.empty() && !wanted.empty()) {
        gradients = ::torch::autograd::grad(from, wanted, gradients_of_from,
                                            /*retain_graph=*/false, /*create_graph=*/false,
                                            /*allow_unused=*/true);
      }
      for (std::size_t k = 0; k < gradients.size(); ++k) bring(gradients[k], destinations[k]);
    });
  }

  Tensor zeros_;  ///< a state that is absent
  Leaves leaves_;
  Results results_;
  LayoutSeconds seconds_;
};

}  // namespace

template <Real T>
std::size_t workspace_bytes(const Spec& spec) {
  const Shape& s = spec.shape;
  const Index rows = spec.cell.gates() * s.H;
  constexpr const char* what = "PyTorch's tensors";
  // What backward frees as it goes makes room for its own, but for dx and the gradients of weights:
  // that of W_hh is a sum, with one more for the step that is added.
  const Index elements =
      checked_sum({checked_product({live_activations(spec.cell.kind), s.T, s.B, s.H}, what),
                   checked_product({s.T, s.B, s.I}, what), checked_product({rows, s.I}, what),
                   checked_product({2, rows, s.H}, what), checked_product({4, rows}, what)},
                  what);
  return static_cast<std::size_t>(checked_product({elements, Index{sizeof(T)}}, what));
}

template <Real T>
std::unique_ptr<Plan<T>> make_plan(const Spec& spec, const Exec& exec) {
  std::unique_ptr<Plan<T>> plan;
  translate([&] { plan = std::make_unique<TorchPlan<T>>(spec, exec); });
  return plan;
}

template std::size_t workspace_bytes<float>(const Spec&);
template std::size_t workspace_bytes<double>(const Spec&);
template std::unique_ptr<Plan<float>> make_plan<float>(const Spec&, const Exec&);
template std::unique_ptr<Plan<double>> make_plan<double>(const Spec&, const Exec&);

}  // namespace bptt::torch
