#include "verify/directions.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "verify/direction_slopes.hpp"

namespace bptt::verify {
namespace {

/// Takes slopes into a result, and makes one finding of each tensor that is wrong along some.
class DirectionJudge {
 public:
  explicit DirectionJudge(Result& result) : result_(result) {}

  /// The part must outlive this.
  void add(const Part& part, const std::vector<SlopePerLoss>& slopes) {
    for (std::size_t group = 0; group < slopes.size(); ++group) {
      if (part.directions[group].index < 0) continue;  // no live element
      for (std::size_t l = 0; l < loss_count; ++l) judge(part, group, l, slopes[group][l]);
    }
  }

  void report() const {
    for (const Wrong& wrong : wrong_) result_.findings.push_back(finding_of(wrong));
  }

 private:
  /// Of one tensor: the smallest part that is wrong, and how many are.
  struct Wrong {
    const Part* part;
    std::size_t group, loss;
    Slope slope;
    Index count = 0;
    std::map<std::size_t, std::vector<std::string>> names{};  ///< by the size of their part
  };

  void judge(const Part& part, std::size_t group, std::size_t loss, const Slope& slope) {
    const double units = slope.units();
    const Place& place = part.directions[group];
    ++result_.elements;
    ++result_.slices;
    if (!slope.conclusive() && result_.inconclusive_slices++ == 0) {
      result_.inconclusive_place = place;
    }
    if (result_.worst_place.index < 0 || units > result_.worst) {
      result_.worst = units;
      result_.worst_place = place;
      result_.worst_difference = std::abs(slope.analytic - slope.difference.value);
    }
    if (units <= error_limit) return;
    auto wrong = std::find_if(wrong_.begin(), wrong_.end(), [&](const Wrong& other) {
      return other.part->tensor == part.tensor;
    });
    if (wrong == wrong_.end())
      wrong = wrong_.insert(wrong_.end(), {&part, group, loss, slope, 0, {}});
    if (size_of(part) < size_of(*wrong->part)) {
      *wrong = {&part, group, loss, slope, wrong->count, std::move(wrong->names)};
    }
    ++wrong->count;
    const std::string name = name_of(part, group);
    auto& names = wrong->names[size_of(part)];
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }

  static std::size_t size_of(const Part& part) {
    return part.elements.size() / part.directions.size();
  }

  static std::string name_of(const Part& part, std::size_t group) {
    const Place& place = part.directions[group];
    if (!place.gate.empty()) return "gate " + place.gate;
    if (place.time >= 0) return "t=" + std::to_string(place.time);
    if (place.batch >= 0) return part.name + " of batch " + std::to_string(place.batch);
    if (place.row >= 0) return "unit " + std::to_string(place.row);
    return part.name;
  }

  static Finding finding_of(const Wrong& wrong) {
    const Slope& slope = wrong.slope;
    Finding finding{"direction",
                    wrong.part->directions[wrong.group],
                    slope.analytic,
                    slope.difference.value,
                    slope.units(),
                    slope.unit,
                    "",
                    ""};
    finding.message =
        "along random signs on " + name_of(*wrong.part, wrong.group) + ", under " +
        direction_losses[wrong.loss].name + ", <grad, d> is not the difference quotient (+- " +
        number_text(slope.difference.error) + ") of the backend's own forward; wrong on";
    constexpr std::size_t most = 8;
    std::size_t named = 0;
    for (const auto& [size, names] : wrong.names) {
      for (const std::string& name : names) {
        if (named++ < most) finding.message += (named > 1 ? ", " : " ") + name;
      }
    }
    if (named > most) finding.message += " and " + std::to_string(named - most) + " more parts";
    const Place& place = finding.place;
    finding.time_step = place.time >= 0 ? "step " + std::to_string(place.time) : "no time axis";
    return finding;
  }

  Result& result_;
  std::vector<Wrong> wrong_;
};

/// Outputs of forward against naive's in f64: units are those of f32, scaled.
void compare_outputs(const Reference<float>& reference, const Values<double>& got, Result& result) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (reference.layouts[i].name.starts_with("grad.")) continue;
    std::vector<double> unit = reference.unit[i];
    for (double& value : unit) value *= f64_of_f32;
    absorb(result, compare<double, double>(reference.layouts[i], got[i], reference.expected[i],
                                           unit, required_resolution<double>()));
  }
}

}  // namespace

DirectionCheck::DirectionCheck(const Case& c, std::uint64_t seed) : case_(c), seed_(seed) {
  const std::uint64_t own = seed_of(c, seed);
  const auto model = c.subject->make<double>(naive_plans<double>());
  parts_ = direction_parts(*model, c.subject->cell(), own);
  // At these extents slices hold errors enough for one problem to measure the unit.
  constexpr int runs = 1;
  reference_ = make_reference<float>(*c.subject, c.subject->draw(own, Dtype::f32), own,
                                     Rounding::shared, runs);
}

template <Real T>
void DirectionCheck::check(const Backend& backend, const Exec& exec, Result& result) const {
  const auto model = case_.subject->make<T>(plans_of<T>(backend, exec));
  if constexpr (std::same_as<T, float>) {
    compare_all(reference_, run(*model, reference_.given), result);
  } else {
    DirectionSlopes slopes(*model, reference_);
    compare_outputs(reference_, slopes.results(), result);
    DirectionJudge judge(result);
    for (const Part& part : parts_) judge.add(part, slopes.of(part));
    judge.report();
  }
}

Result DirectionCheck::check(const Backend& backend, Dtype dtype, const Exec& exec) const {
  Result result;
  result.kind = CheckKind::direction;
  result.backend = backend.name();
  result.cell = to_string(case_.subject->cell());
  result.subject = case_.name;
  result.dtype = dtype;
  result.threads = exec.threads;
  result.recompute = exec.recompute;
  result.seed = seed_;
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

}  // namespace bptt::verify
