#include "verify/oracles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "verify/complex_step.hpp"
#include "verify/finite_differences.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

using Complex = ComplexStep::Complex;

/// The three legs at one element.
struct Legs {
  double analytic = 0, complex_step = 0;
  Estimate differences;
  double unit = 0;

  bool analytic_is_complex() const { return close(analytic, complex_step, 0); }
  /// So near that the rounding of the complex step, which `unit` knows only in part where a loss
  /// comes from targets, need not be measured.
  bool complex_step_is_near() const {
    return std::abs(analytic - complex_step) <= error_limit / 4 * unit;
  }
  bool analytic_is_differences() const {
    return close(analytic, differences.value, differences.error);
  }
  bool complex_is_differences() const {
    return close(complex_step, differences.value, differences.error);
  }
  double worst_units() const {
    const double error = std::max(std::abs(analytic - complex_step),
                                  std::abs(analytic - differences.value) - differences.error);
    const double units = error <= 0 ? 0 : error / unit;
    return std::isnan(units) ? std::numeric_limits<double>::infinity() : units;
  }

 private:
  bool close(double a, double b, double slack) const {
    return std::abs(a - b) <= error_limit * unit + slack;
  }
};

/// Nothing where all legs agree.
std::optional<std::string> odd_one_out(const Legs& legs) {
  const bool ac = legs.analytic_is_complex(), ad = legs.analytic_is_differences(),
             cd = legs.complex_is_differences();
  if (ac && ad) return std::nullopt;
  if (cd && !ac && !ad)
    return "the analytic gradient is the odd one out: complex step and finite differences agree";
  if (ad && !ac)
    return "the complex step is the odd one out: analytic gradient and finite differences agree";
  if (ac && !ad)
    return "the finite differences are the odd one out: analytic gradient and complex step agree";
  return "no two of analytic gradient, complex step and finite differences agree";
}

class GradientCheck {
 public:
  GradientCheck(const Backend& backend, const Subject& subject, const Reference<double>& reference,
                Result& result)
      : reference_(reference),
        model_(subject.make<double>(plans_of<double>(backend, Exec{}))),
        complex_step_(subject, reference.given),
        differences_(subject, reference.given),
        result_(result) {}

  void run() {
    const Values<double> analytic = verify::run(*model_, reference_.given);
    const auto& complex = complex_step_.model().tensors();
    const auto& real = differences_.model().tensors();
    for (std::size_t tensor = 0; tensor < complex.size(); ++tensor) {
      if (!model_->tensors()[tensor].gradient) continue;
      const std::size_t i = result_index("grad." + complex[tensor].name);
      const Leg leg{reference_.layouts[i], tensor,
                    analytic[i],           reference_.unit[i],
                    complex[tensor].value, real[tensor].value};
      differences_.choose_step(leg.real);
      for (const Slice& slice : slices_of(leg.layout)) check_slice(leg, slice);
    }
  }

 private:
  /// One tensor's gradient, and the elements to move for it.
  struct Leg {
    const Layout& layout;
    std::size_t tensor;  ///< among the model's
    const std::vector<double>& analytic;
    const std::vector<double>& units;
    const View<Complex>& complex;
    const View<long double>& real;
  };

  std::size_t result_index(const std::string& name) const {
    const auto& layouts = reference_.layouts;
    const auto found = std::find_if(layouts.begin(), layouts.end(),
                                    [&](const Layout& layout) { return layout.name == name; });
    return static_cast<std::size_t>(found - layouts.begin());
  }

  void check_slice(const Leg& leg, const Slice& slice) {
    double signal = 0, noise = 0;
    Index live = 0;
    for (Index index = slice.begin; index < slice.end; ++index) {
      if (is_padding(leg.layout, index)) continue;
      const auto e = static_cast<std::size_t>(index);
      Legs legs;
      legs.analytic = leg.analytic[e];
      legs.complex_step = complex_step_(leg.complex[index]);
      legs.unit = std::max(leg.units[e], complex_step_.rounding());
      if (!legs.complex_step_is_near()) {
        const Estimate repeated = complex_step_.repeated(leg.complex[index]);
        legs.complex_step = repeated.value;
        legs.unit = std::max(legs.unit, repeated.error);
      }
      legs.differences = differences_(leg.real[index], error_limit * leg.units[e]);
      judge(leg, index, legs);
      // What has no effect has no signal; that the legs agree on its zero is all there is to know.
      if (must_be_zero(leg.layout, index)) continue;
      ++live;
      signal += legs.complex_step * legs.complex_step;
      const double uncertainty = error_limit * legs.unit + legs.differences.error;
      noise += uncertainty * uncertainty;
    }
    if (live == 0) return;
    result_.elements += live;
    ++result_.slices;
    if (!(std::sqrt(noise) < required_resolution<double>() * std::sqrt(signal))) {
      if (result_.inconclusive_slices++ == 0) {
        result_.inconclusive_place = place_of(leg.layout, slice.begin);
      }
    }
  }

  void judge(const Leg& leg, Index index, const Legs& legs) {
    const double units = legs.worst_units();
    const Place place = place_of(leg.layout, index);
    if (result_.worst_place.index < 0 || units > result_.worst) {
      result_.worst = units;
      result_.worst_place = place;
      result_.worst_difference = std::abs(legs.analytic - legs.complex_step);
    }
    const auto odd = odd_one_out(legs);
    if (!odd) return;
    // One finding per tensor: its first wrong element.
    for (const Finding& finding : result_.findings) {
      if (finding.place.tensor == place.tensor) return;
    }
    Finding finding{"gradient", place,     legs.analytic, legs.complex_step,
                    units,      legs.unit, *odd,          ""};
    finding.message += " (finite differences: " + exact_text(legs.differences.value) + " +- " +
                       number_text(legs.differences.error) + ")";
    finding.time_step = place.time >= 0 ? "step " + std::to_string(place.time) + " of " +
                                              std::to_string(leg.layout.blocks)
                                        : first_wrong_step(leg, index, legs);
    result_.findings.push_back(std::move(finding));
  }

  /// The complex-step derivative of the *states* at one element holds that of every part of the
  /// loss.
  std::string first_wrong_step(const Leg& leg, Index index, const Legs& all) {
    const Index steps = upstream_steps(*model_);
    if (steps == 0) return "no time axis, and no upstream gradient to take apart by time";
    complex_step_(leg.complex[index]);  // leaves the derivatives of all states in the outputs
    const auto& upstream_model = complex_step_.model();
    return describe_first_wrong(steps, [&](const Upstream& upstream) {
      const Given lit = light(*model_, reference_.given, upstream);
      verify::run(*model_, lit);
      const double got = model_->tensors()[leg.tensor].gradient[index];
      double exact = 0;
      for_each_term(upstream_model, lit, [&](double weight, const Complex& output) {
        exact += weight * output.imag() / ComplexStep::h;
      });
      // The unit of the whole loss bounds that of its parts but for cancellation between them.
      return !(std::abs(got - exact) <=
               error_limit * (all.unit + std::abs(exact) * std::numeric_limits<double>::epsilon()));
    });
  }

  const Reference<double>& reference_;
  std::unique_ptr<net::Model<double>> model_;
  ComplexStep complex_step_;
  FiniteDifferences differences_;
  Result& result_;
};

}  // namespace

Result check_gradient(const Backend& backend, const Case& c, const Reference<double>& reference,
                      std::uint64_t seed) {
  Result result;
  result.kind = CheckKind::gradient;
  result.backend = backend.name();
  result.cell = to_string(c.subject->cell());
  result.subject = c.name;
  result.seed = seed;
  try {
    GradientCheck(backend, *c.subject, reference, result).run();
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
