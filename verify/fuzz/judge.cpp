#include "verify/fuzz/judge.hpp"

#include <algorithm>

#include "verify/fuzz/subject.hpp"

namespace bptt::verify::fuzz {
namespace {

/// Runs of naive that the unit is measured over: fewer where each takes long.
int runs_of(double work, Effort effort) {
  constexpr double small = 3e5, large = 2e6;  // multiply-adds of a forward pass
  if (effort == Effort::first_look) return work < small ? 4 : work < large ? 3 : 2;
  return work < small ? 32 : work < large ? 16 : 10;
}

}  // namespace

Prepared prepare(const Description& what, Dtype dtype, std::uint64_t seed, Effort effort) {
  Prepared prepared{case_of(what), seed, {}};
  const Case& c = prepared.what;
  const std::uint64_t own = seed_of(c, seed);
  const int runs = runs_of(c.work, effort);
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    prepared.reference = make_reference<T>(*c.subject, c.subject->draw(own, dtype_of<T>), own,
                                           Rounding::shared, runs);
  });
  return prepared;
}

std::vector<Result> judge(const Backend& backend, const Prepared& prepared,
                          const std::vector<int>& threads, Recompute recompute, bool localise) {
  const EqualityOptions options{threads, {recompute}, prepared.seed, localise};
  auto results = std::visit(
      [&]<class T>(const Reference<T>& reference) {
        return check_equality<T>(backend, prepared.what, reference, options);
      },
      prepared.reference);
  for (Result& result : results) result.kind = CheckKind::fuzz;
  return results;
}

bool is_suspicious(const std::vector<Result>& results) {
  return std::any_of(results.begin(), results.end(), [](const Result& result) {
    return result.verdict == Verdict::fail || !(result.worst <= error_limit / 2);
  });
}

const Result* first_failure(const std::vector<Result>& results) {
  const auto found = std::find_if(results.begin(), results.end(), [](const Result& result) {
    return result.verdict == Verdict::fail;
  });
  return found == results.end() ? nullptr : &*found;
}

}  // namespace bptt::verify::fuzz
