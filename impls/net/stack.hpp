// A stack of recurrent layers, deep or bidirectional or both, on any backend.
#pragma once

#include <memory>
#include <vector>

#include "impls/api/stack_plan.hpp"
#include "impls/net/model.hpp"

namespace bptt::net {

/// The same parameters, read only.
template <Scalar T>
std::vector<Params<const T>> read_only(const std::vector<Params<T>>& params) {
  return {params.begin(), params.end()};
}

/// A backend's own plan of the whole stack where it makes one, else a ComposedStack of its plans.
/// Runs as StackPlan says.
template <Scalar T>
class Stack {
 public:
  /// Throws Error(usage) for a spec that is not valid, Error(unavailable) where it does not fit in
  /// memory, before anything is allocated; then whatever the maker throws.
  Stack(const StackSpec&, const PlanMaker<T>&);

  void forward(std::span<const Params<const T>> params, const Inputs<const T>& in,
               const Outputs<T>& out) {
    plan_->forward(params, in, out);
  }
  void backward(std::span<const Params<const T>> params, const Inputs<const T>& in,
                const OutputGrads<const T>& dout, const StackGrads<T>& grads) {
    plan_->backward(params, in, dout, grads);
  }

  std::size_t workspace_bytes() const { return plan_->workspace_bytes(); }
  LayoutSeconds layout_seconds() const { return plan_->layout_seconds(); }
  std::string implementation() const { return plan_->implementation(); }
  const StackSpec& spec() const { return plan_->spec(); }

 private:
  std::unique_ptr<StackPlan<T>> plan_;
};

/// Why a backend runs the stack neither as a whole nor layer by layer; nothing where it does.
std::optional<std::string> stack_refusal(const Backend&, const StackSpec&, Dtype, const Exec&);

/// What a Stack of a backend takes. Only for stacks that are not refused.
std::size_t stack_workspace_bytes(const Backend&, const StackSpec&, Dtype, const Exec&);

}  // namespace bptt::net
