#include "verify/equality.hpp"

#include <optional>

#include "verify/bits.hpp"
#include "verify/final_state.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

/// `first_of_threads`: what the first thread count gave; set by the first call.
template <Real T>
void run_checks(const Backend& backend, const Case& c, const Reference<T>& ref, const Exec& exec,
                const EqualityOptions& options, std::optional<Values<T>>& first_of_threads,
                Result& result) {
  const auto model = c.subject->template make<T>(plans_of<T>(backend, exec));
  Values<T> first = run(*model, ref.given);
  std::vector<Finding>& findings = result.findings;
  compare_all(ref, first, result);
  check_final_state(*model, ref.layouts, first, findings);

  const Given other = c.subject->draw(~seed_of(c, options.seed), dtype_of<T>);
  const Values<T> after = run(*model, other);
  compare_bits(ref.layouts, after,
               run(*c.subject->template make<T>(plans_of<T>(backend, exec)), other), "reuse",
               "other data gives other bits on a plan that ran before than on a new one", findings);
  compare_bits(ref.layouts, run(*model, ref.given), first, "reuse",
               "the same data gives other bits on the same plan after other data", findings);
  if (!first_of_threads) {
    first_of_threads = std::move(first);
  } else if (backend.same_for_all_threads(exec)) {
    compare_bits(ref.layouts, first, *first_of_threads, "threads",
                 "other bits than with " + std::to_string(options.threads.front()) + " thread(s)",
                 findings);
  }
  if (options.localise) {
    localise(*c.subject, backend, exec, ref, seed_of(c, options.seed), findings);
  }
}

template <Real T>
Result check_one(const Backend& backend, const Case& c, const Reference<T>& ref, const Exec& exec,
                 const EqualityOptions& options, std::optional<Values<T>>& first_of_threads) {
  Result result;
  result.backend = backend.name();
  result.cell = to_string(c.subject->cell());
  result.subject = c.name;
  result.dtype = dtype_of<T>;
  result.threads = exec.threads;
  result.recompute = exec.recompute;
  result.seed = options.seed;
  result.first_threads = options.threads.front();
  try {
    run_checks(backend, c, ref, exec, options, first_of_threads, result);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unavailable) {
      result.verdict = Verdict::refused;
      result.reason = error.what();
      return result;
    }
    Finding finding;
    finding.check = "error";
    finding.message = error.what();
    result.findings.push_back(finding);
  }
  conclude(result);
  return result;
}

}  // namespace

template <Real T>
std::vector<Result> check_equality(const Backend& backend, const Case& c, const Reference<T>& ref,
                                   const EqualityOptions& options) {
  std::vector<Result> results;
  for (const Recompute recompute : options.recompute) {
    std::optional<Values<T>> first_of_threads;
    for (const int threads : options.threads) {
      Exec exec;
      exec.threads = threads;
      exec.recompute = recompute;
      results.push_back(check_one(backend, c, ref, exec, options, first_of_threads));
    }
  }
  return results;
}

template <Real T>
Reference<T> reference_of(const Case& c, std::uint64_t seed) {
  const std::uint64_t own = seed_of(c, seed);
  return make_reference<T>(*c.subject, c.subject->draw(own, dtype_of<T>), own);
}

#define BPTT_INSTANTIATE(T)                                                                     \
  template std::vector<Result> check_equality(const Backend&, const Case&, const Reference<T>&, \
                                              const EqualityOptions&);                          \
  template Reference<T> reference_of(const Case&, std::uint64_t)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
