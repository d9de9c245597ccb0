#include "verify/self_test/checks.hpp"

#include <algorithm>

#include "impls/api/registry.hpp"
#include "verify/directions.hpp"
#include "verify/equality.hpp"
#include "verify/localise.hpp"
#include "verify/oracles.hpp"

namespace bptt::verify::self_test {
namespace {

constexpr Recompute every_way[] = {Recompute::none, Recompute::gates, Recompute::checkpoint};

Case planted_case(const Planted& planted, const Case& honest) {
  Case c = honest;
  c.subject = planted.subject(c.subject);
  return c;
}

/// References of cases, by their names; of a fault that the reference shares, its own.
template <Real T>
class References {
 public:
  explicit References(std::uint64_t seed) : seed_(seed) {}

  const Reference<T>& of(const Planted& planted, const Case& c) {
    const auto make = [&] { return std::make_unique<Reference<T>>(reference_of<T>(c, seed_)); };
    if (!planted.fault.is_shared()) return kept_.get(c.name, make);
    own_ = make();
    return *own_;
  }

 private:
  std::uint64_t seed_;
  Kept<Reference<T>> kept_;
  std::unique_ptr<Reference<T>> own_;
};

/// Looks for the time step of what the fault has to be named for, and of nothing else, in the first
/// precision that it is planted in: that takes several runs of the reference.
template <Real T>
void find_time_step(const Planted& planted, const Case& c, const Backend& backend,
                    const Reference<T>& reference, std::uint64_t seed, Result& result) {
  const PlantedFault& fault = planted.fault;
  if (fault.time_step.empty() || planted.dtype != fault.dtypes.front()) return;
  Exec exec;
  exec.threads = result.threads;
  exec.recompute = result.recompute;
  for (Finding& finding : result.findings) {
    if (finding.check != fault.check || finding.place.tensor != fault.tensor) continue;
    std::vector<Finding> one = {finding};
    localise(*c.subject, backend, exec, reference, seed_of(c, seed), one);
    finding.time_step = one.front().time_step;
  }
}

CheckForSelfTest equality_check(std::uint64_t seed) {
  const auto f32 = std::make_shared<References<float>>(seed);
  const auto f64 = std::make_shared<References<double>>(seed);
  const auto run = [seed]<Real T>(const Planted& planted, References<T>& references) {
    const PlantedFault& fault = planted.fault;
    const Case c = planted_case(planted, find_case(fault.case_name));
    const Reference<T>& reference = references.of(planted, c);
    EqualityOptions options;
    options.threads = fault.threads;
    if (fault.recompute) options.recompute.assign(std::begin(every_way), std::end(every_way));
    options.seed = seed;
    options.localise = false;
    const FaultyBackend backend = planted.backend();
    auto results = check_equality<T>(backend, c, reference, options);
    for (Result& result : results) {
      find_time_step(planted, c, backend, reference, seed, result);
    }
    return seen_in(std::move(results));
  };
  return {{"equality", "padding", "no-effect", "final-state", "reuse", "threads"},
          [=](const Planted& planted) {
            return planted.dtype == Dtype::f32 ? run(planted, *f32) : run(planted, *f64);
          }};
}

/// Of the same cell and kind, and so small that every element is visited in no time.
Case case_for_oracles(const std::string& name) {
  const Case& c = find_case(name);
  if (is_layer(name)) {
    const bool lengths = kind_of(name) == "lengths";
    return layer_case(c.cell, {4, 3, 2, 3}, lengths ? Variant::lengths : Variant::plain);
  }
  const std::string prefix = name.substr(0, name.find_last_of('/')) + "/";
  const auto small = std::find_if(all_cases().begin(), all_cases().end(), [&](const Case& other) {
    return other.small && other.name.starts_with(prefix);
  });
  return small == all_cases().end() ? c : *small;
}

CheckForSelfTest gradient_check(std::uint64_t seed) {
  const auto references = std::make_shared<References<double>>(seed);
  return {{"gradient"}, [=](const Planted& planted) -> Seen {
            // They judge f64 and, in a run, the reference alone, which judges all others: unless
            // both are wrong, another backend's gradient takes no part in that.
            const bool is_judge = planted.honest.name() == backends().front()->name();
            if (planted.dtype != Dtype::f64 || !(is_judge || planted.fault.is_shared())) return {};
            const Case c = planted_case(planted, case_for_oracles(planted.fault.case_name));
            return seen_as("gradient",
                           check_gradient(planted.backend(), c, references->of(planted, c), seed));
          }};
}

/// One layer with more units than any other case has, and few steps and rows; the loss must have no
/// kink. In f64 the check differentiates forward passes by the thousand: that is left to the faults
/// that are there for it, or that are not planted in f32.
CheckForSelfTest direction_check(std::uint64_t seed) {
  struct Fixture {
    explicit Fixture(const std::string& cell)
        : c(layer_case(cell, {3, 3, 5, 97}, Variant::plain)) {}
    Case c;
    std::unique_ptr<DirectionCheck> check;
  };
  const auto fixtures = std::make_shared<Kept<Fixture>>();
  return {{"direction"}, [=](const Planted& planted) -> Seen {
            const Case& c = find_case(planted.fault.case_name);
            const bool has_kink = c.cell.find("relu") != std::string::npos;
            const bool takes_f64 =
                planted.fault.check == "direction" || planted.fault.dtypes.size() == 1;
            if (!is_layer(c.name) || has_kink) return {};
            if (planted.dtype == Dtype::f64 && !takes_f64) return {};
            const auto make = [&] {
              auto fixture = std::make_unique<Fixture>(c.cell);
              fixture->c.subject = planted.subject(fixture->c.subject);
              fixture->check = std::make_unique<DirectionCheck>(fixture->c, seed);
              return fixture;
            };
            const FaultyBackend backend = planted.backend();
            const auto run = [&](const Fixture& fixture) {
              return seen_as("direction", fixture.check->check(backend, planted.dtype, Exec{}));
            };
            return planted.needs_own_subject() ? run(*make()) : run(fixtures->get(c.cell, make));
          }};
}

}  // namespace

void Seen::add(Seen more) {
  std::move(more.findings.begin(), more.findings.end(), std::back_inserter(findings));
  if (refused.empty()) refused = std::move(more.refused);
}

Seen seen_in(std::vector<Result> results) {
  Seen seen;
  for (Result& result : results) {
    seen.add({std::move(result.findings), result.verdict == Verdict::fail ? "" : result.reason});
  }
  return seen;
}

Seen seen_as(const std::string& check, Result result) {
  for (Finding& finding : result.findings) finding.check = check;
  return seen_in({std::move(result)});
}

std::string kind_of(const std::string& case_name) {
  const auto end = case_name.find_last_of('/');
  const auto begin = case_name.find_last_of('/', end - 1);
  return case_name.substr(begin + 1, end - begin - 1);
}

bool is_layer(const std::string& case_name) {
  return std::count(case_name.begin(), case_name.end(), '/') == 2 &&
         case_name.starts_with(find_case(case_name).cell + "/") &&
         kind_of(case_name).find("layers") == std::string::npos &&
         kind_of(case_name).find("bidirectional") == std::string::npos;
}

std::vector<CheckForSelfTest> checks_for_self_test(const CheckOptions& options) {
  std::vector<CheckForSelfTest> checks = {
      gradient_check(options.seed),
      equality_check(options.seed),
      direction_check(options.seed),
      property_check(options),
  };
  if (!options.golden.empty()) checks.push_back(golden_check(options));
  return checks;
}

}  // namespace bptt::verify::self_test
