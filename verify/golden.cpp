#include "verify/golden.hpp"

#include <algorithm>
#include <cmath>
#include <new>

#include "impls/io/printable.hpp"
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

template <Real T>
void GoldenCheck::check(const Backend& backend, const Exec& exec, Result& result) const {
  const auto model = file_.subject->make<T>(plans_of<T>(backend, exec));
  const Values<T> got = run(*model, file_.given);
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (file_.results[i].empty()) continue;
    const bool coarse = std::same_as<T, float> || file_.coarse[i];
    absorb(result,
           compare<T, double>(
               f64_.layouts[i], got[i], file_.results[i], coarse ? f32_.unit[i] : f64_.unit[i],
               coarse ? required_resolution<float>() : required_resolution<double>()));
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
