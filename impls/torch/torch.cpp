// The backend `torch`: the layers that PyTorch's nn.RNN, nn.LSTM and nn.GRU run, through autograd,
// behind the interface of this suite. A peer: what it maps, refuses and was found to do is in
// docs/peers.md.
#include <ATen/Version.h>
#include <torch/csrc/api/include/torch/version.h>

#include "impls/api/backend.hpp"
#include "impls/linalg/blas_kernels.hpp"
#include "impls/linalg/blas_threads.hpp"
#include "impls/peer/refusals.hpp"
#include "impls/torch/plan.hpp"

namespace bptt::torch {
namespace {

constexpr const char* library = "PyTorch";

std::optional<std::string> refuse_cell(const Cell& cell) {
  if (cell.kind == CellKind::rnn && cell.activation == Activation::relu) {
    return "PyTorch's relu loses a NaN in dy where it is off (docs/peers.md)";
  }
  if (cell.kind == CellKind::rnn && cell.activation != Activation::tanh) {
    return "PyTorch's rnn has tanh and relu";
  }
  if (cell.kind == CellKind::gru &&
      (cell.reset != GruReset::after_matmul || cell.update != GruUpdate::keep)) {
    return "PyTorch's gru is reset=after_matmul:update=keep";
  }
  return peer::refuse_lstm_options(library, cell, /*peephole=*/false);
}

/// The instruction set of PyTorch's own loops: "AVX2". There is no call for it.
std::string instruction_set() {
  const std::string config = at::show_config();
  constexpr std::string_view key = "CPU capability usage: ";
  const auto at = config.find(key);
  if (at == std::string::npos) return "unknown instruction set";
  const auto begin = at + key.size();
  return config.substr(begin, config.find('\n', begin) - begin);
}

class TorchBackend final : public Backend {
 public:
  TorchBackend() : Backend("torch") {}
  std::string version() const override {
    const auto blas = linalg::blas_kernels();
    return std::string(library) + " " + TORCH_VERSION + " " + instruction_set() + ", products " +
           blas.library + " " + blas.live;
  }
  /// Asked for it, it takes one thread only.
  bool same_for_all_threads(const Exec& exec) const override { return exec.same_for_all_threads; }
  bool is_peer() const override { return true; }

 private:
  std::optional<std::string> do_refusal(const Spec& spec, Dtype, const Exec& exec) const override {
    if (auto reason = peer::refuse_trades(library, exec)) return reason;
    if (auto reason = linalg::refuse_blas_threads(exec.threads)) return reason;
    if (auto reason = peer::refuse_openmp(exec)) return reason;
    return refuse_cell(spec.cell);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return do_stack_workspace_bytes(stack_of(spec), dtype, exec);
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return make_plan<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return make_plan<double>(spec, exec);
  }

  /// As nn.LSTM and the others take num_layers and bidirectional.
  bool do_plans_whole(const StackSpec& spec, Dtype dtype, const Exec& exec) const override {
    return !do_refusal(spec.layer_spec(0), dtype, exec);
  }
  std::size_t do_stack_workspace_bytes(const StackSpec& spec, Dtype dtype,
                                       const Exec&) const override {
    return dispatch(
        dtype, [&]<class T>(std::type_identity<T>) { return torch::workspace_bytes<T>(spec); });
  }
  std::unique_ptr<StackPlan<float>> do_plan_stack(std::type_identity<float>, const StackSpec& spec,
                                                  const Exec& exec) const override {
    return make_stack_plan<float>(spec, exec);
  }
  std::unique_ptr<StackPlan<double>> do_plan_stack(std::type_identity<double>,
                                                   const StackSpec& spec,
                                                   const Exec& exec) const override {
    return make_stack_plan<double>(spec, exec);
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<TorchBackend>();
}

}  // namespace bptt::torch
