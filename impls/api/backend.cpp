#include "impls/api/backend.hpp"

#include "impls/api/memory.hpp"

namespace bptt {
namespace {

constexpr int max_threads = 4096;

void validate(const Spec& spec, const Exec& exec) {
  spec.validate();
  if (exec.threads < 1 || exec.threads > max_threads) {
    throw Error(ErrorKind::usage, "threads: expected 1.." + std::to_string(max_threads) + "; got " +
                                      std::to_string(exec.threads));
  }
}

}  // namespace

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

template std::unique_ptr<Plan<float>> Backend::plan<float>(const Spec&, const Exec&) const;
template std::unique_ptr<Plan<double>> Backend::plan<double>(const Spec&, const Exec&) const;

}  // namespace bptt
