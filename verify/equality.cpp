#include "verify/equality.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "verify/inputs.hpp"
#include "verify/localise.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

/// The first element in which two tensors differ in bits; -1 where they do not.
template <class T>
Index first_difference(const View<T>& a, const View<T>& b) {
  for (Index e = 0; e < a.size(); ++e) {
    if (std::memcmp(&a[e], &b[e], sizeof(T)) != 0) return e;
  }
  return -1;
}

/// Appends a finding for each result tensor that differs in bits.
template <Real T>
void compare_bits(const Problem<T>& got, const Problem<T>& expected, const std::string& check,
                  const std::string& message, std::vector<Finding>& findings) {
  const auto g = result_tensors(got);
  const auto e = result_tensors(expected);
  for (std::size_t i = 0; i < g.size(); ++i) {
    const Index at = first_difference(g[i].view, e[i].view);
    if (at < 0) continue;
    Finding finding;
    finding.check = check;
    finding.place = place_of(got.spec(), g[i].info, at);
    finding.got = g[i].view[at];
    finding.expected = e[i].view[at];
    finding.message = message;
    finding.time_step =
        finding.place.time >= 0 ? "step " + std::to_string(finding.place.time) : "no time axis";
    findings.push_back(std::move(finding));
  }
}

/// hT against y at the sequence's own end; states and gradients that pass through untouched.
template <Real T>
class FinalState {
 public:
  FinalState(const Problem<T>& p, std::vector<Finding>& findings) : p_(p), findings_(findings) {}

  void check() {
    const auto [T_, B, I, H] = p_.spec().shape;
    for (Index b = 0; b < B; ++b) {
      const Index length = length_of(p_, b);
      if (length > 0) {
        row("hT", p_.out.hT, b, &p_.out.y(length - 1, b, 0), length - 1,
            "y at its sequence's last step");
        continue;
      }
      const auto given = [b](const View<T>& view) { return view ? &view(b, 0) : nullptr; };
      row("hT", p_.out.hT, b, given(p_.in.h0), -1, "h0 of a sequence of length 0");
      row("cT", p_.out.cT, b, given(p_.in.c0), -1, "c0 of a sequence of length 0");
      row("grad.h0", p_.grads.h0, b, given(p_.dout.hT), -1, "dhT of a sequence of length 0");
      row("grad.c0", p_.grads.c0, b, given(p_.dout.cT), -1, "dcT of a sequence of length 0");
    }
  }

 private:
  /// `expected` nullptr: the tensor was not given, it stands for zero.
  void row(const char* name, const View<T>& got, Index b, const T* expected, Index time,
           const char* what) {
    if (!got) return;
    for (const Finding& finding : findings_) {
      if (finding.check == "final-state" && finding.place.tensor == name) return;
    }
    for (Index j = 0; j < got.extents()[1]; ++j) {
      const T wanted = expected ? expected[j] : T(0);
      if (std::memcmp(&got(b, j), &wanted, sizeof(T)) == 0) continue;
      Finding finding;
      finding.check = "final-state";
      finding.place.tensor = name;
      finding.place.batch = b;
      finding.place.column = j;
      finding.place.index = b * got.extents()[1] + j;
      finding.got = got(b, j);
      finding.expected = wanted;
      finding.message = std::string("expected a bitwise copy of ") + what;
      finding.time_step = time >= 0 ? "step " + std::to_string(time) : "no live step";
      findings_.push_back(std::move(finding));
      return;
    }
  }

  const Problem<T>& p_;
  std::vector<Finding>& findings_;
};

template <Real T>
void compare_all(const Reference<T>& ref, const Problem<T>& got, Result& result) {
  const auto g = result_tensors(got);
  const auto expected = result_tensors(ref.expected);
  const auto units = result_tensors(ref.unit);
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (!g[i].view) continue;
    absorb(
        result, got.spec(),
        compare(got.spec(), ref.given.lengths(), g[i].info, g[i].view,
                View<const Wider<T>>(expected[i].view), units[i].view, required_resolution<T>()));
  }
}

template <Real T>
Result check_one(const Backend& backend, const Case& c, const Reference<T>& ref, int threads,
                 const EqualityOptions& options, std::unique_ptr<Problem<T>>& first_of_threads) {
  Result result;
  result.backend = backend.name();
  result.cell = to_string(c.spec.cell);
  result.subject = c.name;
  result.dtype = dtype_of<T>;
  result.threads = threads;
  result.seed = options.seed;
  result.first_threads = options.threads.front();
  Exec exec;
  exec.threads = threads;
  if (const auto reason = backend.refusal(c.spec, dtype_of<T>, exec)) {
    result.verdict = Verdict::refused;
    result.reason = *reason;
    return result;
  }
  try {
    const auto plan = backend.plan<T>(c.spec, exec);
    auto first = std::make_unique<Problem<T>>(c.spec);
    copy_given(ref.given, *first);
    poison_results(*first);
    run_both(*plan, *first);

    Problem<T> again(c.spec);
    c.apply(again);
    draw_inputs(~seed_of(c, options.seed), again);
    poison_results(again);
    run_both(*plan, again);
    copy_given(ref.given, again);
    poison_results(again);
    run_both(*plan, again);

    compare_all(ref, *first, result);
    FinalState<T>(*first, result.findings).check();
    compare_bits(again, *first, "reuse",
                 "the same data gives other bits on the same plan after other data",
                 result.findings);
    if (!first_of_threads) {
      first_of_threads = std::move(first);
    } else if (backend.same_for_all_threads()) {
      compare_bits(*first, *first_of_threads, "threads",
                   "other bits than with " + std::to_string(options.threads.front()) + " thread(s)",
                   result.findings);
    }
    if (options.localise) {
      localise(backend, exec, ref, seed_of(c, options.seed), result.findings);
    }
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
void localise(const Backend& backend, const Exec& exec, const Reference<T>& ref, std::uint64_t seed,
              std::vector<Finding>& findings) {
  const Spec& spec = ref.given.spec();
  Problem<double> source(spec), lit(spec);
  copy_given(ref.given, source);
  copy_given(source, lit);
  Problem<T> got(spec);
  std::unique_ptr<Plan<T>> plan;
  // Tensors mostly ask about the same parts.
  std::map<std::tuple<Index, Index, bool>, std::vector<std::string>> wrong_under;
  const auto wrong_tensors = [&](const Upstream& upstream) -> const std::vector<std::string>& {
    const auto key = std::tuple(upstream.first, upstream.last, upstream.final_state);
    const auto [entry, is_new] = wrong_under.try_emplace(key);
    if (!is_new) return entry->second;
    if (!plan) plan = backend.plan<T>(spec, exec);
    light(source, upstream, lit);
    const auto part = make_reference<T>(lit, seed);
    copy_given(part->given, got);
    poison_results(got);
    run_both(*plan, got);
    Result result;
    compare_all(*part, got, result);
    for (const Finding& finding : result.findings) entry->second.push_back(finding.place.tensor);
    return entry->second;
  };
  for (Finding& finding : findings) {
    if (!finding.time_step.empty()) continue;
    finding.time_step = describe_first_wrong(spec.shape.T, [&](const Upstream& upstream) {
      const auto& wrong = wrong_tensors(upstream);
      return std::find(wrong.begin(), wrong.end(), finding.place.tensor) != wrong.end();
    });
  }
}

template <Real T>
std::vector<Result> check_equality(const Backend& backend, const Case& c, const Reference<T>& ref,
                                   const EqualityOptions& options) {
  std::vector<Result> results;
  std::unique_ptr<Problem<T>> first_of_threads;
  for (const int threads : options.threads) {
    results.push_back(check_one(backend, c, ref, threads, options, first_of_threads));
  }
  return results;
}

template <Real T>
void draw_case(const Case& c, std::uint64_t seed, Problem<double>& p) {
  Problem<T> drawn(c.spec);
  c.apply(drawn);
  draw_inputs(seed_of(c, seed), drawn);
  copy_given(drawn, p);
}

template <Real T>
std::unique_ptr<Reference<T>> reference_of(const Case& c, std::uint64_t seed) {
  Problem<double> source(c.spec);
  draw_case<T>(c, seed, source);
  return make_reference<T>(source, seed_of(c, seed));
}

#define BPTT_INSTANTIATE(T)                                                                     \
  template std::vector<Result> check_equality(const Backend&, const Case&, const Reference<T>&, \
                                              const EqualityOptions&);                          \
  template void localise(const Backend&, const Exec&, const Reference<T>&, std::uint64_t,       \
                         std::vector<Finding>&);                                                \
  template void draw_case<T>(const Case&, std::uint64_t, Problem<double>&);                     \
  template std::unique_ptr<Reference<T>> reference_of(const Case&, std::uint64_t)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
