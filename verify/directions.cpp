#include "verify/directions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "verify/differences.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

/// What is lit of the upstream gradients, and in which words a finding says so.
struct Loss {
  Upstream lit;
  const char* name;
};
constexpr Index every_step = std::numeric_limits<Index>::max();
constexpr Loss losses[] = {{{0, every_step, true}, "all upstream gradients"},
                           {{0, -1, true}, "dhT and dcT alone"}};
constexpr std::size_t loss_count = std::size(losses);

// The last row of a table of three weighs its smallest step by 64/45, and the others next to
// nothing.
constexpr int levels = 3;
constexpr double weight_of_last = 1.5;

// Naive's rounding error in f32 times this is that in f64: to first order errors scale with u.
constexpr double f64_of_f32 =
    std::numeric_limits<double>::epsilon() / std::numeric_limits<float>::epsilon();

/// One number for each batch row, under each loss.
using PerRow = std::array<std::vector<long double>, loss_count>;

/// A backend's forward, along lines.
class OwnForward {
 public:
  OwnForward(net::Model<double>& model, const Reference<float>& reference) : model_(model) {
    const auto given = given_tensors(model);
    for (std::size_t l = 0; l < loss_count; ++l) {
      lit_[l] = light(model, reference.given, losses[l].lit);
      rounding_[l].clear();
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (given[i].role == net::Role::upstream) add_term(given[i].name.substr(1), i, reference);
    }
    for (auto& rows : rounding_) {
      for (long double& value : rows) value = std::sqrt(value / 2);
    }
  }

  const Given& lit(std::size_t loss) const { return lit_[loss]; }
  /// Of (L(+h) - L(-h)) / 2, of each row: root mean square, from what naive measured of each
  /// output's rounding error. The signs of upstream gradients are random, so errors do not add up.
  const PerRow& rounding() const { return rounding_; }

  /// (L(+h) - L(-h)) / 2h of each row. The difference is taken of each output by itself, where it
  /// is exact or nearly so, and summed then.
  PerRow difference(const Part& part, double h) {
    move(part, h);
    for (Term& term : terms_) term.above.assign(term.output.begin(), term.output.end());
    move(part, -h);
    PerRow sums;
    for (std::size_t l = 0; l < loss_count; ++l) {
      sums[l].assign(static_cast<std::size_t>(rows_), 0);
      for (const Term& term : terms_) {
        for (std::size_t e = 0; e < term.above.size(); ++e) {
          const double change = term.above[e] - term.output[static_cast<Index>(e)];
          sums[l][term.row(e)] += static_cast<long double>(term.weight[l][e]) * change;
        }
      }
      for (long double& sum : sums[l]) sum /= 2 * static_cast<long double>(h);
    }
    return sums;
  }

 private:
  /// <upstream, output>.
  struct Term {
    View<double> output;
    std::array<std::vector<double>, loss_count> weight;  ///< 0 in padding
    std::vector<double> above;
    Index columns, rows;
    std::size_t row(std::size_t e) const {
      return static_cast<std::size_t>(static_cast<Index>(e) / columns % rows);
    }
  };

  void add_term(const std::string& output, std::size_t given, const Reference<float>& reference) {
    for (const auto& tensor : model_.tensors()) {
      if (tensor.role != net::Role::output || tensor.name != output) continue;
      const Extents& extents = tensor.value.extents();
      Term term{tensor.value, {}, {}, extents[extents.rank() - 1], extents[extents.rank() - 2]};
      rows_ = term.rows;
      const std::size_t i = result_index(reference.layouts, output);
      for (std::size_t l = 0; l < loss_count; ++l) {
        term.weight[l] = lit_[l].values[given];
        rounding_[l].resize(static_cast<std::size_t>(rows_));
        for (std::size_t e = 0; e < term.weight[l].size(); ++e) {
          double& weight = term.weight[l][e];
          if (is_padding(reference.layouts[i], static_cast<Index>(e))) weight = 0;
          const double error = weight * reference.unit[i][e] * f64_of_f32;
          rounding_[l][term.row(e)] += error * error;
        }
      }
      terms_.push_back(std::move(term));
    }
  }

  /// Runs forward with the part moved, and moves it back.
  void move(const Part& part, double h) {
    const View<double>& value = model_.tensors()[part.tensor].value;
    std::vector<double> kept(part.elements.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      kept[i] = value[part.elements[i]];
      value[part.elements[i]] += h * part.signs[i];
    }
    model_.forward();
    for (std::size_t i = 0; i < kept.size(); ++i) value[part.elements[i]] = kept[i];
  }

  net::Model<double>& model_;
  std::array<Given, loss_count> lit_;
  PerRow rounding_;
  std::vector<Term> terms_;
  Index rows_ = 0;
};

/// One direction under one loss.
struct Slope {
  double analytic = 0;  ///< <grad, d>
  Estimate difference;
  double unit = 0;
  double signal = 0;  ///< what <grad, d> is in the mean over the signs of d

  double units() const {
    const double error = std::abs(analytic - difference.value);
    const double units = error == 0 ? 0 : error / unit;
    return std::isfinite(units) ? units : std::numeric_limits<double>::infinity();
  }
  bool conclusive() const { return error_limit * unit < required_resolution<double>() * signal; }
};

/// A sum over rows, or one row's own.
long double of_group(const Part& part, const std::vector<long double>& rows, std::size_t group) {
  if (part.by_row) return rows[group];
  long double sum = 0;
  for (const long double row : rows) sum += row;
  return sum;
}
/// The same of errors, which are independent.
long double error_of_group(const Part& part, const std::vector<long double>& rows,
                           std::size_t group) {
  if (part.by_row) return rows[group];
  long double sum = 0;
  for (const long double row : rows) sum += row * row;
  return std::sqrt(sum);
}

class DirectionRun {
 public:
  DirectionRun(net::Model<double>& model, const std::vector<Part>& parts,
               const Reference<float>& reference, Result& result)
      : model_(model),
        parts_(parts),
        reference_(reference),
        forward_(model, reference),
        result_(result) {
    for (std::size_t l = 0; l < loss_count; ++l) results_[l] = run(model, forward_.lit(l));
  }

  /// Of the honest inputs.
  const Values<double>& results() const { return results_[0]; }

  void run_all() {
    std::map<std::size_t, double> steps;
    for (const Part& part : parts_) {
      // The first part of a tensor is all of it: what bends there bends most.
      const auto step = steps.find(part.tensor);
      if (step == steps.end()) steps[part.tensor] = step_for(part);
      check(part, steps[part.tensor]);
    }
    for (Wrong& wrong : wrong_) result_.findings.push_back(finding_of(wrong));
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

  /// A power of two, which moves numbers that are floats without rounding.
  double step_for(const Part& part) {
    constexpr double trial = 0x1p-10, longest = 0x1p-2, shortest = 0x1p-22;
    const PerRow at_h = forward_.difference(part, trial);
    const PerRow at_half = forward_.difference(part, trial / 2);
    long double slope = 0, bend = 0, rounding = 0;
    for (std::size_t group = 0; group < part.directions.size(); ++group) {
      const long double a = of_group(part, at_h[0], group), b = of_group(part, at_half[0], group);
      const long double r = error_of_group(part, forward_.rounding()[0], group);
      slope += b * b;
      bend += (a - b) * (a - b);
      rounding += r * r;
    }
    slope = std::sqrt(slope);
    rounding = std::sqrt(rounding);
    const long double rho =
        bending_length(slope + std::sqrt(bend), slope, trial, 4 * rounding / trial, longest);
    const long double step =
        std::max<long double>(best_step(slope, rho, rounding, levels), shortest);
    return static_cast<double>(std::exp2(std::floor(std::log2(step))));
  }

  void check(const Part& part, double step) {
    std::vector<std::array<Slope, loss_count>> best = slopes(part, step);
    const auto is_good = [](const auto& slopes) {
      return std::all_of(slopes.begin(), slopes.end(),
                         [](const Slope& slope) { return slope.conclusive(); });
    };
    // Where one row bends more than the others.
    constexpr int tries = 2;
    for (int i = 0; i < tries && !std::all_of(best.begin(), best.end(), is_good); ++i) {
      step /= 8;
      const auto again = slopes(part, step);
      for (std::size_t group = 0; group < best.size(); ++group) {
        for (std::size_t l = 0; l < loss_count; ++l) {
          if (again[group][l].unit < best[group][l].unit) best[group][l] = again[group][l];
        }
      }
    }
    for (std::size_t group = 0; group < best.size(); ++group) {
      if (part.directions[group].index < 0) continue;  // no live element
      for (std::size_t l = 0; l < loss_count; ++l) judge(part, group, l, best[group][l]);
    }
  }

  std::vector<std::array<Slope, loss_count>> slopes(const Part& part, double step) {
    std::array<PerRow, levels> table;
    double h = step;
    for (PerRow& differences : table) {
      differences = forward_.difference(part, h);
      h /= 2;
    }
    const double smallest = 2 * h;
    std::vector<std::array<Slope, loss_count>> slopes(part.directions.size());
    const std::size_t i = result_index(reference_.layouts, part.directions.front().tensor);
    std::vector<double> rounding(slopes.size());
    for (std::size_t k = 0; k < part.elements.size(); ++k) {
      const auto e = static_cast<std::size_t>(part.elements[k]);
      const auto group = static_cast<std::size_t>(part.group[k]);
      rounding[group] += reference_.unit[i][e] * reference_.unit[i][e];
      for (std::size_t l = 0; l < loss_count; ++l) {
        const double gradient = results_[l][i][e];
        slopes[group][l].analytic += gradient * part.signs[k];
        slopes[group][l].signal += gradient * gradient;
      }
    }
    for (std::size_t group = 0; group < slopes.size(); ++group) {
      for (std::size_t l = 0; l < loss_count; ++l) {
        Slope& slope = slopes[group][l];
        std::array<long double, levels> column;
        for (int level = 0; level < levels; ++level) {
          column[static_cast<std::size_t>(level)] =
              of_group(part, table[static_cast<std::size_t>(level)][l], group);
        }
        slope.difference = extrapolate(column);
        const auto noise = static_cast<double>(
            weight_of_last * error_of_group(part, forward_.rounding()[l], group) / smallest);
        slope.unit =
            std::max({slope.difference.error, noise, std::sqrt(rounding[group]) * f64_of_f32});
        slope.signal = std::max(std::sqrt(slope.signal), std::abs(slope.difference.value));
      }
    }
    return slopes;
  }

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
    finding.message = "along random signs on " + name_of(*wrong.part, wrong.group) + ", under " +
                      losses[wrong.loss].name + ", <grad, d> is not the difference quotient (+- " +
                      number_text(slope.difference.error) +
                      ") of the backend's own forward; wrong on";
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

  net::Model<double>& model_;
  const std::vector<Part>& parts_;
  const Reference<float>& reference_;
  OwnForward forward_;
  Result& result_;
  std::array<Values<double>, loss_count> results_;
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
    DirectionRun directions(*model, parts_, reference_, result);
    compare_outputs(reference_, directions.results(), result);
    directions.run_all();
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
