#include "reports/sweep.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace bptt::report {

const std::vector<Axis>& axes() {
  static const std::vector<Axis> all = {
      {"T", "sequence length T", &Case::T},
      {"H", "hidden size H", &Case::H},
      {"B", "batch B", &Case::B},
      {"threads", "threads", &Case::threads},
  };
  return all;
}

std::string Sweep::fixed(bool several_hosts) const {
  const Case& c = points.front()->key;
  const bool tied = c.I == c.H && (input_follows_hidden || axis->extent != &Case::H);
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const CaseField& field : case_fields()) {
    const bool shown_elsewhere = field.name == axis->name || field.name == "workload" ||
                                 field.name == "cell" || field.name == "dtype" ||
                                 field.name == "phase";
    const bool ordinary =
        (field.name == "layers" || field.name == "directions") && field.text(c) == "1";
    if (shown_elsewhere || ordinary || (field.name == "host" && !several_hosts)) continue;
    if (field.name == "I" && tied) {
      add(axis->extent == &Case::H ? "I=H" : "I=H=" + field.text(c));
    } else if (!(field.name == "H" && tied)) {
      add(labelled(field, c));
    }
  }
  return text;
}

std::vector<Sweep> sweeps_along(const Axis& axis, const Study& study) {
  using Family = std::tuple<Case, bool>;
  std::map<Family, std::vector<const CaseResult*>> families;
  for (const CaseResult* result : study.of("layer")) {
    Case family = result->key;
    family.*axis.extent = 0;
    families[{family, false}].push_back(result);
    if (axis.extent == &Case::H && result->key.I == result->key.H) {
      family.I = 0;
      families[{family, true}].push_back(result);
    }
  }
  std::vector<Sweep> sweeps;
  for (auto& [family, points] : families) {
    if (points.size() < 2) continue;
    std::sort(points.begin(), points.end(), [&](const CaseResult* a, const CaseResult* b) {
      return a->key.*axis.extent < b->key.*axis.extent;
    });
    sweeps.push_back({&axis, std::get<bool>(family), points});
  }
  // Families lost the swept extent and maybe I: put them back into the order of their first case.
  std::stable_sort(sweeps.begin(), sweeps.end(), [](const Sweep& a, const Sweep& b) {
    return a.points.front()->key < b.points.front()->key;
  });
  return sweeps;
}

}  // namespace bptt::report
