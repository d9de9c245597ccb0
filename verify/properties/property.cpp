#include "verify/properties/property.hpp"

namespace bptt::verify {
namespace {

template <Real T>
Result check_one(const PropertyCase& c, const PreparedProperty<T>& prepared, const Backend& backend,
                 const Exec& exec, const PropertyOptions& options) {
  Result result;
  result.kind = c.kind;
  result.backend = backend.name();
  result.cell = c.cell;
  result.subject = c.name;
  result.dtype = dtype_of<T>;
  result.threads = exec.threads;
  result.recompute = exec.recompute;
  result.seed = options.seed;
  result.first_threads = options.threads.front();
  try {
    prepared.run(backend, exec, result);
  } catch (const Error& error) {
    // A case has plans for several shapes. What was found on one of them stays found.
    if (error.kind() == ErrorKind::unavailable && result.findings.empty()) {
      result.verdict = Verdict::refused;
      result.reason = error.what();
      return result;
    }
    Finding finding;
    finding.check = "error";
    finding.message = error.what();
    result.findings.push_back(finding);
  }
  // What compares bits, or finite with infinite, has no slices and nothing to be unsure of.
  if (result.slices > 0 || !result.findings.empty()) conclude(result);
  return result;
}

}  // namespace

const PropertyCase& find_property_case(std::string_view name) {
  for (const PropertyCase& c : property_cases()) {
    if (c.name == name) return c;
  }
  throw Error(ErrorKind::usage, std::string(name) + ": no such case");
}

template <Real T>
std::vector<Result> check_property(const PropertyCase& c, const PreparedProperty<T>& prepared,
                                   const Backend& backend, const PropertyOptions& options) {
  std::vector<Result> results;
  for (const Recompute recompute : options.recompute) {
    for (const int threads : options.threads) {
      Exec exec;
      exec.threads = c.own_threads ? 1 : threads;
      exec.recompute = recompute;
      results.push_back(check_one(c, prepared, backend, exec, options));
      if (c.own_threads) break;
    }
  }
  return results;
}

template std::vector<Result> check_property(const PropertyCase&, const PreparedProperty<float>&,
                                            const Backend&, const PropertyOptions&);
template std::vector<Result> check_property(const PropertyCase&, const PreparedProperty<double>&,
                                            const Backend&, const PropertyOptions&);

}  // namespace bptt::verify
