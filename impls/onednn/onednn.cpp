// The backend `onednn`: oneDNN's RNN primitives, in training, behind the interface of this suite. A
// peer: what it maps, refuses and was found to do is in docs/peers.md.
#include <algorithm>

#include <oneapi/dnnl/dnnl.hpp>

#include "impls/api/backend.hpp"
#include "impls/onednn/cell_map.hpp"
#include "impls/onednn/plan.hpp"
#include "impls/onednn/primitives.hpp"
#include "impls/onednn/translate.hpp"
#include "impls/onednn/version.hpp"
#include "impls/peer/refusals.hpp"
#include "impls/threads/openmp.hpp"

namespace bptt::onednn {
namespace {

constexpr const char* library = "oneDNN";

CellMap mapped(const Cell& cell) {
  std::string reason;
  return map_cell(cell, reason).value();
}

class OneDnnBackend final : public Backend {
 public:
  OneDnnBackend() : Backend("onednn") {}
  std::string version() const override {
    const dnnl_version_t* v = dnnl::version();
    return std::string(library) + " " + std::to_string(v->major) + "." + std::to_string(v->minor) +
           "." + std::to_string(v->patch) + " " + live_instruction_set() +
           ", OpenMP, weights in format any";
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
    std::string reason;
    const auto map = map_cell(spec.cell, reason);
    if (!map) return reason;
    return known_fault(*map, spec.shape);
  }
  std::size_t do_workspace_bytes(const Spec& spec, Dtype, const Exec& exec) const override {
    return translate([&] { return onednn::workspace_bytes(spec, exec, mapped(spec.cell)); });
  }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return translate([&] { return make_plan(spec, exec, mapped(spec.cell)); });
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec&,
                                        const Exec&) const override {
    return nullptr;  // refused
  }

  bool do_plans_whole(const StackSpec& spec, Dtype dtype, const Exec& exec) const override {
    // Groups differ in extents, which a fault may depend on.
    return !do_refusal(spec.layer_spec(0), dtype, exec) &&
           std::ranges::none_of(groups_of(spec), [&](const Group& group) {
             return known_fault(mapped(spec.cell), group.shape).has_value();
           });
  }
  std::size_t do_stack_workspace_bytes(const StackSpec& spec, Dtype,
                                       const Exec& exec) const override {
    return translate([&] { return onednn::workspace_bytes(spec, exec, mapped(spec.cell)); });
  }
  std::unique_ptr<StackPlan<float>> do_plan_stack(std::type_identity<float>, const StackSpec& spec,
                                                  const Exec& exec) const override {
    return translate([&] { return make_plan(spec, exec, mapped(spec.cell)); });
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() {
  return std::make_unique<OneDnnBackend>();
}

}  // namespace bptt::onednn
