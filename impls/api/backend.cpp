#include "impls/api/backend.hpp"

#include <stdexcept>

#include "impls/api/memory.hpp"

namespace bptt {
namespace {

constexpr int max_threads = 4096;

template <class AnySpec>
void validate(const AnySpec& spec, const Exec& exec) {
  spec.validate();
  for (const int count : {exec.first_thread, exec.threads_beside}) {
    if (count >= 0 && count <= max_threads) continue;
    throw Error(ErrorKind::usage, "first_thread, threads_beside: expected 0.." +
                                      std::to_string(max_threads) + "; got " +
                                      std::to_string(count));
  }
  if (exec.threads < 1 || exec.threads > max_threads) {
    throw Error(ErrorKind::usage, "threads: expected 1.." + std::to_string(max_threads) + "; got " +
                                      std::to_string(exec.threads));
  }
}

}  // namespace

bool Backend::runs_side_by_side(const Exec& exec) const {
  // A number that is out of range is for who plans with all of them to refuse.
  const bool can_be_halved = exec.threads >= 2 && exec.threads % 2 == 0;
  return can_be_halved && exec.threads <= max_threads && can_run_side_by_side();
}

std::unique_ptr<SideBySide> Backend::do_side_by_side(const Exec&) const {
  throw std::logic_error(std::string(name_) + " says that its plans can run side by side, not how");
}

std::optional<std::string> Backend::refusal(const Spec& spec, Dtype dtype, const Exec& exec) const {
  validate(spec, exec);
  return do_refusal(spec, dtype, exec);
}

std::size_t Backend::workspace_bytes(const Spec& spec, Dtype dtype, const Exec& exec) const {
  validate(spec, exec);
  return do_workspace_bytes(spec, dtype, exec);
}

template <Real T>
std::unique_ptr<Plan<T>> Backend::plan(const Spec& spec, const Exec& exec) const {
  if (const auto reason = refusal(spec, dtype_of<T>, exec)) {
    throw Error(ErrorKind::unavailable,
                std::string(name_) + " refuses " + to_string(spec) + ": " + *reason);
  }
  require_memory(workspace_bytes(spec, dtype_of<T>, exec),
                 "workspace of " + std::string(name_) + " for " + to_string(spec));
  return do_plan(std::type_identity<T>{}, spec, exec);
}

bool Backend::plans_whole(const StackSpec& spec, Dtype dtype, const Exec& exec) const {
  validate(spec, exec);
  return !spec.is_single() && do_plans_whole(spec, dtype, exec);
}

std::size_t Backend::stack_workspace_bytes(const StackSpec& spec, Dtype dtype,
                                           const Exec& exec) const {
  validate(spec, exec);
  return do_stack_workspace_bytes(spec, dtype, exec);
}

template <Real T>
std::unique_ptr<StackPlan<T>> Backend::plan_stack(const StackSpec& spec, const Exec& exec) const {
  if (!plans_whole(spec, dtype_of<T>, exec)) {
    throw Error(ErrorKind::unavailable,
                std::string(name_) + " does not plan " + to_string(spec) + " as a whole");
  }
  require_memory(stack_workspace_bytes(spec, dtype_of<T>, exec),
                 "workspace of " + std::string(name_) + " for " + to_string(spec));
  return do_plan_stack(std::type_identity<T>{}, spec, exec);
}

std::size_t Backend::do_stack_workspace_bytes(const StackSpec&, Dtype, const Exec&) const {
  throw std::logic_error(std::string(name_) + " plans no stacks as a whole");
}
std::unique_ptr<StackPlan<float>> Backend::do_plan_stack(std::type_identity<float>,
                                                         const StackSpec&, const Exec&) const {
  throw std::logic_error(std::string(name_) + " plans no stacks as a whole");
}
std::unique_ptr<StackPlan<double>> Backend::do_plan_stack(std::type_identity<double>,
                                                          const StackSpec&, const Exec&) const {
  throw std::logic_error(std::string(name_) + " plans no stacks as a whole");
}

template std::unique_ptr<StackPlan<float>> Backend::plan_stack<float>(const StackSpec&,
                                                                      const Exec&) const;
template std::unique_ptr<StackPlan<double>> Backend::plan_stack<double>(const StackSpec&,
                                                                        const Exec&) const;
template std::unique_ptr<Plan<float>> Backend::plan<float>(const Spec&, const Exec&) const;
template std::unique_ptr<Plan<double>> Backend::plan<double>(const Spec&, const Exec&) const;

}  // namespace bptt
