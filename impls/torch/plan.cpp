#include "impls/torch/plan.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "impls/api/error.hpp"
#include "impls/peer/stopwatch.hpp"
#include "impls/torch/layers.hpp"
#include "impls/torch/threads.hpp"
#include "impls/torch/workspace.hpp"

namespace bptt::torch {
namespace {

using at::Tensor;
using peer::Stopwatch;

template <Real T>
constexpr at::ScalarType scalar_type = std::same_as<T, float> ? at::kFloat : at::kDouble;

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

template <Real T>
std::size_t bytes_of(const StackSpec& spec, Path path) {
  return static_cast<std::size_t>(
      checked_product({workspace_elements(spec, path), Index{sizeof(T)}}, "PyTorch's tensors"));
}

/// Layers of T between two calls: forward leaves autograd's graph, backward runs it. The views of a
/// layer and those of a stack differ in the extents of their states only, which are not read here.
template <Real T>
class Layers {
 public:
  Layers(const StackSpec& spec, const Exec& exec)
      : spec_(spec),
        exec_(exec),
        zeros_(at::zeros({spec.states(), spec.shape.B, spec.shape.H}, scalar_type<T>)) {
    if (exec.bind_threads) Threads::bind();
    const Threads threads(path_, exec_);
    path_ = path_of(spec, scalar_type<T>);
  }

  std::size_t workspace_bytes() const { return bytes_of<T>(spec_, path_); }
  LayoutSeconds layout_seconds() const { return seconds_; }
  std::string implementation() const {
    const std::string name = path_ == Path::onednn ? "oneDNN" : "native";
    return spec_.lengths ? name + " (packed sequence)" : name;
  }

  void forward(std::span<const Params<const T>> params, const Inputs<const T>& in,
               const Outputs<T>& out) {
    const Threads threads(path_, exec_);
    translate([&] {
      leaves_ = leaves(params, in);
      results_ = run_layers(spec_, leaves_, in.lengths);
      if (results_.y.requires_grad()) path_ = results_.path;  // else no sequence has a step
      bring(results_.y, {out.y});
      bring(results_.hT, {out.hT});
      bring(results_.cT, {out.cT});
    });
  }

  void backward(const OutputGrads<const T>& dout, const StackGrads<T>& grads) {
    const Threads threads(path_, exec_);
    translate([&] {
      // The graph ends with this call, whatever becomes of it.
      const Leaves leaves = std::exchange(leaves_, {});
      const Results results = std::exchange(results_, {});
      std::vector<Tensor> from, gradients_of_from;
      const auto given = [&](const Tensor& result, const View<const T>& gradient) {
        if (!gradient || !result.requires_grad()) return;
        from.push_back(result);
        gradients_of_from.push_back(tensor_on(gradient, result.sizes()));
      };
      given(results.y, dout.y);
      given(results.hT, dout.hT);
      given(results.cT, dout.cT);

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
      auto weight = leaves.weights.begin();
      for (const Params<T>& d : grads.params) {
        for (const View<T>& to : {d.weight_ih, d.weight_hh}) want(*weight++, to, true);
        if (!spec_.cell.bias) continue;
        for (const View<T>& to : {d.bias_ih, d.bias_hh}) want(*weight++, to, true);
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

 private:
  static Tensor tensor_on(const View<const T>& view, at::IntArrayRef sizes) {
    return at::from_blob(const_cast<T*>(view.data()), sizes, scalar_type<T>);
  }
  Tensor state_on(const View<const T>& view) const {
    return (view ? tensor_on(view, zeros_.sizes()) : zeros_.detach()).requires_grad_();
  }

  Leaves leaves(std::span<const Params<const T>> params, const Inputs<const T>& in) const {
    const Shape& s = spec_.shape;
    Leaves all;
    all.x = tensor_on(in.x, {s.T, s.B, s.I}).requires_grad_();
    all.h0 = state_on(in.h0);
    if (spec_.cell.has_cell_state()) all.c0 = state_on(in.c0);
    for (const Params<const T>& w : params) {
      for (const auto& weight : {w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh}) {
        if (!weight) continue;
        std::vector<std::int64_t> sizes;
        for (int axis = 0; axis < weight.extents().rank(); ++axis) {
          sizes.push_back(weight.extents()[axis]);
        }
        all.weights.push_back(tensor_on(weight, sizes).requires_grad_());
      }
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
    // A user of PyTorch takes its tensors as they are. Only a parameter's gradient that autograd
    // gives transposed is copied by PyTorch as well, and its user pays for that.
    const bool users_pay = destination.is_parameter && !result.is_contiguous();
    const Stopwatch watch(users_pay ? seconds_.weights : seconds_.activations);
    std::copy_n(result.contiguous().template data_ptr<T>(), to.size(), to.data());
  }

  StackSpec spec_;
  Exec exec_;
  Tensor zeros_;  ///< a state that is absent
  Path path_ = Path::native;
  Leaves leaves_;
  Results results_;
  LayoutSeconds seconds_;
};

template <Real T>
class TorchPlan final : public Plan<T> {
 public:
  TorchPlan(const Spec& spec, const Exec& exec)
      : Plan<T>(spec, exec), layers_(stack_of(spec), exec) {}
  std::size_t workspace_bytes() const override { return layers_.workspace_bytes(); }
  LayoutSeconds layout_seconds() const override { return layers_.layout_seconds(); }
  std::string implementation() const override { return layers_.implementation(); }

 private:
  void do_forward(const Params<const T>& params, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    layers_.forward({&params, 1}, in, out);
  }
  void do_backward(const Params<const T>&, const Inputs<const T>&, const OutputGrads<const T>& dout,
                   const Grads<T>& grads) override {
    layers_.backward(dout, {{&grads.params, 1}, grads.x, grads.h0, grads.c0});
  }

  Layers<T> layers_;
};

template <Real T>
class TorchStackPlan final : public StackPlan<T> {
 public:
  TorchStackPlan(const StackSpec& spec, const Exec& exec)
      : StackPlan<T>(spec), layers_(spec, exec) {}
  std::size_t workspace_bytes() const override { return layers_.workspace_bytes(); }
  LayoutSeconds layout_seconds() const override { return layers_.layout_seconds(); }
  std::string implementation() const override { return layers_.implementation(); }

 private:
  void do_forward(std::span<const Params<const T>> params, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    layers_.forward(params, in, out);
  }
  void do_backward(std::span<const Params<const T>>, const Inputs<const T>&,
                   const OutputGrads<const T>& dout, const StackGrads<T>& grads) override {
    layers_.backward(dout, grads);
  }

  Layers<T> layers_;
};

template <class Plan, class Spec>
std::unique_ptr<Plan> made(const Spec& spec, const Exec& exec) {
  std::unique_ptr<Plan> plan;
  translate([&] { plan = std::make_unique<Plan>(spec, exec); });
  return plan;
}

}  // namespace

template <Real T>
std::size_t workspace_bytes(const StackSpec& spec) {
  return bytes_of<T>(spec, path_of(spec, scalar_type<T>));
}

template <Real T>
std::unique_ptr<Plan<T>> make_plan(const Spec& spec, const Exec& exec) {
  return made<TorchPlan<T>>(spec, exec);
}
template <Real T>
std::unique_ptr<StackPlan<T>> make_stack_plan(const StackSpec& spec, const Exec& exec) {
  return made<TorchStackPlan<T>>(spec, exec);
}

template std::size_t workspace_bytes<float>(const StackSpec&);
template std::size_t workspace_bytes<double>(const StackSpec&);
template std::unique_ptr<Plan<float>> make_plan<float>(const Spec&, const Exec&);
template std::unique_ptr<Plan<double>> make_plan<double>(const Spec&, const Exec&);
template std::unique_ptr<StackPlan<float>> make_stack_plan<float>(const StackSpec&, const Exec&);
template std::unique_ptr<StackPlan<double>> make_stack_plan<double>(const StackSpec&, const Exec&);

}  // namespace bptt::torch
