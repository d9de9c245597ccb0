#include "verify/oracles.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <optional>

#include "verify/differences.hpp"
#include "verify/localise.hpp"

namespace bptt::verify {
namespace {

using Complex = std::complex<double>;

/// Of the terms that the loss sums, as far as they are known: a loss from targets sums what is not
/// negative.
long double loss_magnitude(const net::Model<long double>& model, const Given& given) {
  long double sum = 0;
  for_each_term(model, given,
                [&](double upstream, long double output) { sum += std::abs(upstream * output); });
  return sum > 0 ? sum : std::abs(model.loss());
}

/// Derivative of L by complex step. Leaves the element as it was.
class ComplexStep {
 public:
  ComplexStep(const Subject& subject, const Given& given)
      : given_(given), model_(subject.make<Complex>(naive_plans<Complex>())) {
    set_given(given, *model_);
  }
  double operator()(Complex& element, double step = h) {
    const Complex kept = element;
    element += Complex(0, step);
    model_->forward();
    element = kept;
    return model_->loss().imag() / step;
  }
  /// The same for several steps, which round differently: their mean, and their spread as the
  /// error. Where a cell subtracts what is nearly equal, the complex step loses digits that the
  /// analytic gradient keeps.
  Estimate repeated(Complex& element) {
    constexpr int times = 16;
    std::array<double, times> values;
    double mean = 0, square = 0;
    for (int i = 0; i < times; ++i) {
      values[i] = (*this)(element, h * (1 + 0.0371 * i));
      mean += values[i] / times;
    }
    for (const double value : values) square += (value - mean) * (value - mean) / times;
    return {mean, std::sqrt(square)};
  }
  /// Of the derivative just taken: what rounding one sum over the terms of L may do to it. The
  /// terms can cancel that the analytic gradient never forms.
  double rounding() const {
    double sum = 0;
    for_each_term(*model_, given_, [&](double upstream, const Complex& output) {
      sum += std::abs(upstream * output.imag());
    });
    return sum / h * std::numeric_limits<double>::epsilon() / 2;
  }
  const net::Model<Complex>& model() const { return *model_; }

  // Small enough that h^2 is nothing beside 1, large enough that no product underflows.
  static constexpr double h = 1e-30;

 private:
  const Given& given_;
  std::unique_ptr<net::Model<Complex>> model_;
};

/// Derivative of L by central differences. Leaves the element as it was.
class FiniteDifferences {
 public:
  FiniteDifferences(const Subject& subject, const Given& given)
      : given_(given), model_(subject.make<long double>(naive_plans<long double>())) {
    set_given(given, *model_);
  }

  /// Chooses the step for a tensor from what its loss does along some of its elements: how far it
  /// bends, against how much it rounds (verify/differences.hpp has the formula).
  void choose_step(const View<long double>& tensor) {
    constexpr long double trial = 0x1p-8L;
    constexpr Index probes = 3;
    long double slope = 0, rho = largest_step;
    for (Index i = 0; i < probes; ++i) {
      long double& element = tensor[i * (tensor.size() - 1) / (probes - 1)];
      if (element != element) continue;  // padding
      const long double at_h = difference(element, trial);
      const long double at_half = difference(element, trial / 2);
      slope = std::max(slope, std::abs(at_half));
      rho =
          std::min(rho, bending_length(at_h, at_half, trial, 4 * rounding() / trial, largest_step));
    }
    const long double step = slope > 0 ? best_step(slope, rho, rounding(), levels) : largest_step;
    // A power of two moves an element of few digits without rounding.
    step_ = std::exp2(std::floor(std::log2(std::max(step, smallest_step))));
  }

  /// Good where its error is below `wanted`: smaller steps are tried until it is, because a step
  /// that crosses a kink (of relu) converges to nothing.
  Estimate operator()(long double& element, double wanted) {
    Estimate best{0, std::numeric_limits<double>::infinity()};
    for (long double h = step_; h >= smallest_step; h /= 8) {
      const Estimate estimate = at(element, h);
      if (estimate.error < best.error) best = estimate;
      if (best.error <= wanted) break;
    }
    return best;
  }

  const net::Model<long double>& model() const { return *model_; }

 private:
  static constexpr long double largest_step = 0x1p-3L, smallest_step = 0x1p-20L;
  static constexpr int levels = 4;

  /// Of (L(+h) - L(-h)) / 2, after the forward pass before: ulps of the sum of the loss's terms.
  long double rounding() const {
    constexpr long double roundings = 16;
    return roundings * std::numeric_limits<long double>::epsilon() *
           loss_magnitude(*model_, given_) / 2;
  }

  long double difference(long double& element, long double h) {
    const long double kept = element;
    element = kept + h;
    model_->forward();
    const long double above = model_->loss();
    element = kept - h;
    model_->forward();
    const long double below = model_->loss();
    element = kept;
    return (above - below) / (2 * h);
  }

  Estimate at(long double& element, long double h) {
    std::array<long double, levels> table;
    for (long double& entry : table) {
      entry = difference(element, h);
      h /= 2;
    }
    Estimate estimate = extrapolate(table);
    // The columns of the table may agree by luck; the rounding of the smallest step's losses stays.
    estimate.error += static_cast<double>(rounding() / (2 * h));
    return estimate;
  }

  long double step_ = largest_step;
  const Given& given_;
  std::unique_ptr<net::Model<long double>> model_;
};

/// The three legs at one element.
struct Legs {
  double analytic = 0, complex_step = 0;
  Estimate differences;
  double unit = 0;

  bool analytic_is_complex() const { return close(analytic, complex_step, 0); }
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
      if (!legs.analytic_is_complex()) {
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

double complex_step_of(const Subject& subject, const Given& given, const std::string& tensor,
                       Index element) {
  ComplexStep derivative(subject, given);
  for (const auto& candidate : derivative.model().tensors()) {
    if (candidate.name == tensor) return derivative.repeated(candidate.value[element]).value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

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
