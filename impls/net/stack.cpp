#include "impls/net/stack.hpp"

#include "impls/net/composed_stack.hpp"

namespace bptt::net {
namespace {

template <Scalar T>
std::unique_ptr<StackPlan<T>> plan_of(const StackSpec& spec, const PlanMaker<T>& maker) {
  spec.validate();
  if (auto whole = maker.whole_stack(spec)) return whole;
  return std::make_unique<ComposedStack<T>>(spec, maker);
}

}  // namespace

template <Scalar T>
Stack<T>::Stack(const StackSpec& spec, const PlanMaker<T>& maker) : plan_(plan_of(spec, maker)) {}

std::optional<std::string> stack_refusal(const Backend& backend, const StackSpec& spec, Dtype dtype,
                                         const Exec& exec) {
  if (backend.plans_whole(spec, dtype, exec)) return std::nullopt;
  const Exec of_plans = exec_of_plans(backend, exec, spec.bidirectional);
  for (const auto& [layer, plans] : spec.different_layers()) {
    if (auto reason = backend.refusal(layer, dtype, of_plans)) return reason;
  }
  return std::nullopt;
}

std::size_t stack_workspace_bytes(const Backend& backend, const StackSpec& spec, Dtype dtype,
                                  const Exec& exec) {
  if (backend.plans_whole(spec, dtype, exec)) {
    return backend.stack_workspace_bytes(spec, dtype, exec);
  }
  Index bytes = static_cast<Index>(dispatch(
      dtype, [&]<class T>(std::type_identity<T>) { return ComposedStack<T>::buffer_bytes(spec); }));
  const Exec of_plans = exec_of_plans(backend, exec, spec.bidirectional);
  for (const auto& [layer, plans] : spec.different_layers()) {
    const auto of_one = static_cast<Index>(backend.workspace_bytes(layer, dtype, of_plans));
    bytes = checked_sum({bytes, checked_product({of_one, plans}, "workspace")}, "workspace");
  }
  return static_cast<std::size_t>(bytes);
}

template class Stack<float>;
template class Stack<double>;
template class Stack<long double>;
template class Stack<std::complex<double>>;

}  // namespace bptt::net
