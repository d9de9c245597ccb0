// The checks of verify/properties as one of the self-test.
//
// Faults that are wrong in every run of a cell (phases forward, backward, sums, reference) are what
// references, oracles and golden files are for: no property is ever alone with one, and running all
// of them on each would take minutes. So they are run where they may be the ones that see a fault:
// on those of lengths, runs, values and properties.
#include <algorithm>

#include "verify/cases.hpp"
#include "verify/properties/property.hpp"
#include "verify/self_test/checks.hpp"

namespace bptt::verify::self_test {
namespace {

bool is_for_properties(const PlantedFault& fault) {
  constexpr std::string_view phases[] = {"lengths", "runs", "values", "properties"};
  return std::find(std::begin(phases), std::end(phases), fault.phase) != std::end(phases);
}

/// What a case of kind determinism finds has names of its own.
bool finds(const PropertyCase& c, const std::string& check) {
  if (c.check == check) return true;
  if (c.kind != CheckKind::determinism) return false;
  const auto all = property_checks();
  return std::any_of(all.begin(), all.end(), [&](const PropertyInfo& info) {
    return info.name == check && info.kind == CheckKind::determinism;
  });
}

class Properties {
 public:
  explicit Properties(std::uint64_t seed) : seed_(seed) {}

  Seen check(const Planted& planted) {
    const PlantedFault& fault = planted.fault;
    if (!is_for_properties(fault)) return {};
    // Where other checks have to catch it, one precision says whether a property does, too.
    if (fault.phase != "properties" && planted.dtype != fault.dtypes.back()) return {};
    const std::string cell = find_case(fault.case_name).cell;
    Seen seen;
    std::string before;
    for (const PropertyCase& c : property_cases()) {
      if (c.cell != cell && c.cell != cell + ":bias=off") continue;
      // All cases of the check that has to catch it, the first quick one of every other.
      const bool is_expected =
          finds(c, fault.check) && (c.quick || c.kind != CheckKind::determinism);
      if (!is_expected && (!c.quick || c.check == before)) continue;
      if (!is_layer(fault.case_name) && !is_expected) continue;
      if (!is_expected) before = c.check;
      append(c, planted, seen);
    }
    return seen;
  }

 private:
  void append(const PropertyCase& c, const Planted& planted, Seen& seen) {
    if (c.check == "empty-extents") {
      // Which no backend can get wrong: it is asked of what a caller goes through.
      const FaultyBackend backend = planted.backend();
      const auto& spec_seen = planted.fault.spec_seen;
      check_empty_extents(
          [&](const Spec& spec) {
            backend.refusal(spec_seen ? spec_seen(spec) : spec, planted.dtype, {});
          },
          parse_cell(c.cell), seen.findings);
      return;
    }
    try {
      dispatch(planted.dtype, [&]<class T>(std::type_identity<T>) { run<T>(c, planted, seen); });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
      seen.add({{}, error.what()});
    }
  }

  template <Real T>
  void run(const PropertyCase& c, const Planted& planted, Seen& seen) {
    PropertySetup setup;
    setup.seed = seed_;
    if (planted.needs_own_subject()) {
      setup.wrap = [&](std::shared_ptr<const Subject> of) { return planted.subject(of); };
    }
    const auto make = [&] { return c.prepare<T>(setup); };
    const FaultyBackend backend = planted.backend();
    std::unique_ptr<PreparedProperty<T>> own;
    if (planted.needs_own_subject()) own = make();
    const PreparedProperty<T>& prepared =
        own ? *own : std::get<Kept<PreparedProperty<T>>>(kept_).get(c.name, make);
    seen.add(seen_in(check_property<T>(c, prepared, backend, {{1}, {Recompute::none}, seed_})));
  }

  std::uint64_t seed_;
  std::tuple<Kept<PreparedProperty<float>>, Kept<PreparedProperty<double>>> kept_;
};

}  // namespace

CheckForSelfTest property_check(const CheckOptions& options) {
  CheckForSelfTest check;
  for (const PropertyInfo& info : property_checks()) check.names.emplace_back(info.name);
  const auto properties = std::make_shared<Properties>(options.seed);
  check.run = [properties](const Planted& planted) { return properties->check(planted); };
  return check;
}

}  // namespace bptt::verify::self_test
