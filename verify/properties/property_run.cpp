#include "verify/properties/property_run.hpp"

#include <algorithm>

#include "verify/cases.hpp"
#include "verify/preparation.hpp"

namespace bptt::verify {
namespace {

struct Ready {
  std::unique_ptr<PreparedProperty<float>> f32;
  std::unique_ptr<PreparedProperty<double>> f64;
};

Ready prepare(const Settings& settings, const PropertyCase& c) {
  const auto wants = [&](Dtype dtype) {
    return std::find(settings.dtypes.begin(), settings.dtypes.end(), dtype) !=
           settings.dtypes.end();
  };
  const PropertySetup setup{settings.seed, {}};
  return {wants(Dtype::f32) ? c.prepare<float>(setup) : nullptr,
          wants(Dtype::f64) ? c.prepare<double>(setup) : nullptr};
}

}  // namespace

std::vector<const PropertyCase*> chosen_property_cases(const Settings& settings) {
  std::vector<const PropertyCase*> chosen;
  if (!settings.runs_table()) return chosen;
  for (const PropertyCase& c : property_cases()) {
    if (!settings.runs(c.kind) || (settings.quick && !c.quick)) continue;
    if (!settings.only.empty() && !matches_glob(settings.only, c.name)) continue;
    if (!settings.cells.empty() &&
        std::find(settings.cells.begin(), settings.cells.end(), c.cell) == settings.cells.end()) {
      continue;
    }
    chosen.push_back(&c);
  }
  return chosen;
}

void check_properties(const Settings& settings, const std::vector<const PropertyCase*>& cases,
                      const std::function<void(const PropertyCase&)>& starts,
                      std::vector<Result>& results) {
  Preparation<Ready> preparation(cases.size(),
                                 [&](std::size_t i) { return prepare(settings, *cases[i]); });
  PropertyOptions options;
  options.threads = settings.threads;
  options.seed = settings.seed;
  for (const PropertyCase* c : cases) {
    starts(*c);
    options.recompute = settings.recompute_of(c->recompute && !settings.quick);
    const Ready ready = preparation.next();
    for (const Backend* backend : settings.backends) {
      const auto check = [&](const auto& prepared) {
        if (!prepared) return;
        for (Result& result : check_property(*c, *prepared, *backend, options)) {
          results.push_back(std::move(result));
        }
      };
      check(ready.f32);
      check(ready.f64);
    }
  }
}

}  // namespace bptt::verify
