#include "verify/golden.hpp"

#include <algorithm>
#include <cmath>
#include <new>

#include "impls/io/printable.hpp"
#include "verify/comparison.hpp"
#include "verify/complex_step.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

/// True where every input is a float already: rounding them loses nothing.
bool are_floats(const Given& given) {
  for (const auto& values : given.values) {
    for (const double value : values) {
      if (!std::isnan(value) && value != static_cast<double>(static_cast<float>(value)))
        return false;
    }
  }
  return true;
}

Result result_for(const std::string& path, std::uint64_t seed) {
  Result result;
  result.kind = CheckKind::golden;
  result.subject = path;
  result.seed = seed;
  return result;
}

/// Of a file that cannot be checked by any backend.
Result error_result(const std::string& path, std::uint64_t seed, ErrorKind kind,
                    const std::string& reason) {
  Result result = result_for(path, seed);
  result.verdict = Verdict::error;
  result.error = kind;
  result.reason = io::printable(reason);
  return result;
}

std::vector<Result> check_file(const std::string& path, const GoldenOptions& options) {
  std::vector<Result> results;
  GoldenFile file = read_golden(path);
  const auto& cells = options.cells;
  if (!cells.empty() && std::find(cells.begin(), cells.end(), file.cell) == cells.end()) {
    return results;
  }
  const GoldenCheck check(std::move(file), options.seed);
  for (const Backend* backend : options.backends) {
    for (const Dtype dtype : options.dtypes) {
      for (const Recompute recompute : options.recompute) {
        for (const int threads : options.threads) {
          Exec exec;
          exec.threads = threads;
          exec.recompute = recompute;
          results.push_back(check.check(*backend, dtype, exec));
        }
      }
    }
  }
  return results;
}

}  // namespace

GoldenCheck::GoldenCheck(GoldenFile file, std::uint64_t seed)
    : file_(std::move(file)), seed_(seed) {
  if (file_.refusal) return;
  const Rounding rounding = are_floats(file_.given) ? Rounding::shared : Rounding::is_error;
  f32_ = make_reference<float>(*file_.subject, file_.given, seed, rounding);
  f64_ = make_reference<double>(*file_.subject, file_.given, seed);
}

Result GoldenCheck::check(const Backend& backend, Dtype dtype, const Exec& exec) const {
  Result result = result_for(file_.path, seed_);
  result.backend = backend.name();
  result.cell = file_.cell;
  result.dtype = dtype;
  result.threads = exec.threads;
  result.recompute = exec.recompute;
  if (file_.refusal) {
    result.verdict = Verdict::refused;
    result.reason = *file_.refusal;
    return result;
  }
  result.not_compared = file_.not_compared;
  try {
    dispatch(dtype, [&]<class T>(std::type_identity<T>) { check<T>(backend, exec, result); });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable) throw;
    result.verdict = Verdict::refused;
    result.reason = error.what();
    return result;
  }
  conclude(result);
  return result;
}

std::string GoldenCheck::odd_one_out(const Finding& finding, double naive,
                                     double unit_of_file) const {
  const std::string gradient = "grad.";
  const std::string& tensor = finding.place.tensor;
  const auto side_of = [&](double value) {
    const bool file = std::abs(value - finding.expected) <= error_limit * unit_of_file;
    const bool backend =
        std::abs(value - finding.got) <= error_limit * std::max(finding.unit, unit_of_file);
    return std::pair(file, backend);
  };
  auto [file, backend] = side_of(naive);
  std::string judges = "naive in long double (" + exact_text(naive) + ")";
  if (tensor.starts_with(gradient)) {
    const double derivative = complex_step_of(*file_.subject, file_.given,
                                              tensor.substr(gradient.size()), finding.place.index);
    const auto [with_file, with_backend] = side_of(derivative);
    judges += " and the complex step (" + exact_text(derivative) + ")";
    file = file && with_file;
    backend = backend && with_backend;
  }
  if (file && !backend) return "the backend is the odd one out: " + judges + " agree with the file";
  if (backend && !file) return "the file is the odd one out: " + judges + " agree with the backend";
  return judges + " agree with neither the file nor the backend";
}

template <Real T>
void GoldenCheck::check(const Backend& backend, const Exec& exec, Result& result) const {
  const auto model = file_.subject->make<T>(plans_of<T>(backend, exec));
  const Values<T> got = run(*model, file_.given);
  Expectation<double> expectation{file_.results, {}, {}};
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool coarse = std::same_as<T, float> || file_.coarse[i];
    expectation.unit.push_back(coarse ? f32_.unit[i] : f64_.unit[i]);
    expectation.resolution.push_back(coarse ? required_resolution<float>()
                                            : required_resolution<double>());
  }
  if constexpr (std::same_as<T, float>) {
    compare_values(f32_, expectation, got, result);
  } else {
    compare_values(f64_, expectation, got, result);
  }
  for (Finding& finding : result.findings) {
    if (finding.check != "equality" || finding.place.index < 0) continue;
    const std::size_t i = result_index(f64_.layouts, finding.place.tensor);
    const auto e = static_cast<std::size_t>(finding.place.index);
    finding.message += "; " + odd_one_out(finding, static_cast<double>(f64_.expected[i][e]),
                                          file_.coarse[i] ? f32_.unit[i][e] : f64_.unit[i][e]);
  }
  if constexpr (std::same_as<T, float>) {
    localise(*file_.subject, backend, exec, f32_, seed_, result.findings);
  } else {
    localise(*file_.subject, backend, exec, f64_, seed_, result.findings);
  }
}

std::vector<Result> check_golden_file(const std::string& path, const GoldenOptions& options) {
  try {
    return check_file(path, options);
  } catch (const Error& error) {
    // What a model finds wrong with its inputs is wrong with the file, which it does not know.
    const bool unavailable = error.kind() == ErrorKind::unavailable;
    const std::string what = error.what();
    const bool named = what.find(io::printable(path)) != std::string::npos;
    return {error_result(path, options.seed, unavailable ? error.kind() : ErrorKind::data,
                         (named ? "" : path + ": ") + what)};
  } catch (const std::bad_alloc&) {
    return {error_result(path, options.seed, ErrorKind::unavailable,
                         path + ": not enough memory to check it")};
  }
}

}  // namespace bptt::verify
