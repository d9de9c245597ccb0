#include "verify/equality.hpp"

#include <memory>
#include <optional>

#include "verify/bits.hpp"
#include "verify/final_state.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

/// What the first thread count gave, for the others to be compared with: as the backend runs by
/// itself, and where Exec::same_for_all_threads asks for it.
template <Real T>
struct FirstOfThreads {
  std::optional<Values<T>> as_it_comes, asked;
};

/// The results on a plan of which the same bits for every thread count are asked; nothing where the
/// backend does not do that.
template <Real T>
std::optional<Values<T>> run_asked(const Backend& backend, const Case& c, const Reference<T>& ref,
                                   Exec exec, int threads) {
  exec.threads = threads;
  exec.same_for_all_threads = true;
  std::unique_ptr<net::Model<T>> model;
  try {
    model = c.subject->template make<T>(plans_of<T>(backend, exec));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unavailable) return std::nullopt;
    throw;
  }
  return run(*model, ref.given);
}

/// A backend may take another way where the bits must not depend on the thread count.
template <Real T>
void check_asked(const Backend& backend, const Case& c, const Reference<T>& ref, const Exec& exec,
                 const EqualityOptions& options, FirstOfThreads<T>& first, Result& result) {
  if (exec.threads == 1 || backend.same_for_all_threads(exec)) return;
  const auto values = run_asked(backend, c, ref, exec, exec.threads);
  if (!values) return;
  const std::size_t before = result.findings.size();
  compare_all(ref, *values, result);
  if (!first.asked) first.asked = run_asked(backend, c, ref, exec, options.threads.front());
  if (first.asked) {
    compare_bits(ref.layouts, *values, *first.asked, "threads",
                 "other bits than with " + std::to_string(options.threads.front()) + " thread(s)",
                 result.findings);
  }
  for (std::size_t i = before; i < result.findings.size(); ++i) {
    result.findings[i].message =
        "asked for the same bits on every thread count: " + result.findings[i].message;
  }
}

template <Real T>
void run_checks(net::Model<T>& model, const Backend& backend, const Case& c,
                const Reference<T>& ref, const Exec& exec, const EqualityOptions& options,
                FirstOfThreads<T>& first_of_threads, Result& result) {
  Values<T> first = run(model, ref.given);
  std::vector<Finding>& findings = result.findings;
  compare_all(ref, first, result);
  check_final_state(model, ref.layouts, first, findings);

  const Given other = c.subject->draw(~seed_of(c, options.seed), dtype_of<T>);
  const Values<T> after = run(model, other);
  compare_bits(ref.layouts, after,
               run(*c.subject->template make<T>(plans_of<T>(backend, exec)), other), "reuse",
               "other data gives other bits on a plan that ran before than on a new one", findings);
  compare_bits(ref.layouts, run(model, ref.given), first, "reuse",
               "the same data gives other bits on the same plan after other data", findings);
  auto& as_it_comes = first_of_threads.as_it_comes;
  if (!as_it_comes) {
    as_it_comes = std::move(first);
  } else if (backend.same_for_all_threads(exec)) {
    compare_bits(ref.layouts, first, *as_it_comes, "threads",
                 "other bits than with " + std::to_string(options.threads.front()) + " thread(s)",
                 findings);
  }
  check_asked(backend, c, ref, exec, options, first_of_threads, result);
  if (options.localise) {
    localise(*c.subject, backend, exec, ref, seed_of(c, options.seed), findings);
  }
}

template <Real T>
Result check_one(const Backend& backend, const Case& c, const Reference<T>& ref, const Exec& exec,
                 const EqualityOptions& options, FirstOfThreads<T>& first_of_threads) {
  Result result;
  result.backend = backend.name();
  result.cell = to_string(c.subject->cell());
  result.subject = c.name;
  result.dtype = dtype_of<T>;
  result.threads = exec.threads;
  result.recompute = exec.recompute;
  result.seed = options.seed;
  result.first_threads = options.threads.front();
  // What a backend does not do, it says when it plans. Later it is too late.
  std::unique_ptr<net::Model<T>> model;
  try {
    model = c.subject->template make<T>(plans_of<T>(backend, exec));
    run_checks(*model, backend, c, ref, exec, options, first_of_threads, result);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unavailable && !model) {
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
    FirstOfThreads<T> first_of_threads;
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
