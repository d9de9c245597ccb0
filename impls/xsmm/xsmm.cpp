// The backend `xsmm`: the lstm of libxsmm's rnncell behind the interface of this suite. A peer:
// what it maps, refuses and was found to do is in docs/peers.md.
#include <libxsmm.h>

#include "impls/api/backend.hpp"
#include "impls/peer/refusals.hpp"
#include "impls/threads/affinity.hpp"
#include "impls/xsmm/blocks.hpp"
#include "impls/xsmm/plan.hpp"

namespace bptt::xsmm {
namespace {

constexpr const char* library = "libxsmm";

std::optional<std::string> refuse_cell(const Cell& cell) {
  if (cell.kind == CellKind::rnn) {
    return "libxsmm's rnn gives no gradient of the initial state h0";
  }
  if (cell.kind == CellKind::gru) {
    return "libxsmm's gru has a wrong gradient of weight_hh (docs/peers.md)";
  }
  return peer::refuse_lstm_options(library, cell, /*peephole=*/false);
}

/// Its threads spin at every barrier, and there are several in every step.
std::optional<std::string> refuse_threads(const Exec& exec) {
  const std::size_t processors = threads::processors().size();
  if (static_cast<std::size_t>(exec.threads) <= processors) return std::nullopt;
  return "libxsmm's threads wait for one another without giving way: " +
         std::to_string(exec.threads) + " would wait for their turn on " +
         std::to_string(processors) + " processors";
}

class XsmmBackend final : public Backend {
 public:
  XsmmBackend() : Backend("xsmm") {}
  std::string version() const override {
    return std::string(library) + " " + LIBXSMM_VERSION + " " + libxsmm_get_target_arch() +
           ", OpenMP, weights in blocks of up to 64";
  }
  /// Asked for it, it takes one thread only.
  bool same_for_all_threads(const Exec& exec) const override { return exec.same_for_all_threads; }
  bool is_peer() const override { return true; }

 private:
  std::optional<std::string> do_refusal(const Spec& spec, Dtype dtype,
                                        const Exec& exec) const override {
    if (auto reason = peer::refuse_f64(library, dtype)) return reason;
    if (auto reason = peer::refuse_lengths(library, spec)) return reason;
    if (auto reason = peer::refuse_trades(library, exec)) return reason;
    if (auto reason = peer::refuse_openmp(exec)) return reason;
    if (auto reason = refuse_threads(exec)) return reason;
    if (auto reason = refuse_cell(spec.cell)) return reason;
    return refuse_blocks(spec.shape);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype, const Exec& exec) const override {
    return xsmm::workspace_bytes(spec, exec);
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return make_plan(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec&,
                                        const Exec&) const override {
    return nullptr;  // refused
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<XsmmBackend>();
}

}  // namespace bptt::xsmm
