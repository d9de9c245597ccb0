// The backend `fused`: our fastest. Packed weights, register tiles that hold all gates of a panel
// of hidden units, pointwise work on each tile while it is in the first-level cache. The method,
// its layouts and what was measured: docs/fused.md.
#include <string>

#include <oneapi/tbb/version.h>

#include "impls/api/backend.hpp"
#include "impls/fused/schedule.hpp"
#include "impls/threads/side_by_side.hpp"

namespace bptt::fused {
namespace {

template <Real T>
class FusedPlan final : public Plan<T> {
 public:
  FusedPlan(const Spec& spec, const Exec& exec) : FusedPlan(spec, exec, WorkspaceLayout()) {}

  std::size_t workspace_bytes() const override { return workspace_.bytes(); }

 private:
  FusedPlan(const Spec& spec, const Exec& exec, WorkspaceLayout layout)
      : Plan<T>(spec, exec),
        bookings_(Schedule<T>::book(layout, spec, exec)),
        workspace_(layout),
        team_(exec),
        schedule_(workspace_, bookings_, spec, exec) {}

  void do_forward(const Params<const T>& w, const Inputs<const T>& in,
                  const Outputs<T>& out) override {
    schedule_.start(in);
    team_.run([&](const Member& member) { schedule_.forward(w, in, out, member); });
  }
  void do_backward(const Params<const T>& w, const Inputs<const T>& in,
                   const OutputGrads<const T>& dout, const Grads<T>& grads) override {
    team_.run([&](const Member& member) { schedule_.backward(w, in, dout, grads, member); });
  }

  typename Schedule<T>::Bookings bookings_;
  Workspace workspace_;
  Team team_;
  Schedule<T> schedule_;
};

class FusedBackend final : public Backend {
 public:
  FusedBackend() : Backend("fused") {}
  std::string version() const override {
    return std::string(kernels<float>().instruction_set) + ", oneTBB " +
           std::to_string(TBB_VERSION_MAJOR) + "." + std::to_string(TBB_VERSION_MINOR);
  }
  bool same_for_all_threads(const Exec& exec) const override { return exec.same_for_all_threads; }

 private:
  bool can_run_side_by_side() const override { return true; }
  std::unique_ptr<SideBySide> do_side_by_side(const Exec& exec) const override {
    return std::make_unique<threads::OneTbbSideBySide>(exec);
  }
  std::optional<std::string> do_refusal(const Spec& spec, Dtype, const Exec&) const override {
    if (spec.cell.kind == CellKind::lstm && !spec.cell.is_plain_lstm()) {
      return "its lstm is the plain one: peepholes, coupled or missing gates, gates that read the "
             "cell state and activations other than tanh are left to other backends";
    }
    return std::nullopt;
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const override {
    return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      WorkspaceLayout layout;
      Schedule<T>::book(layout, spec, exec);
      return layout.bytes();
    });
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return std::make_unique<FusedPlan<float>>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return std::make_unique<FusedPlan<double>>(spec, exec);
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<FusedBackend>();
}

}  // namespace bptt::fused
