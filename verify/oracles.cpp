#include "verify/oracles.hpp"

#include <array>
#include <cmath>
#include <complex>
#include <optional>

#include "impls/naive/naive.hpp"
#include "verify/localise.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

using Complex = std::complex<double>;

/// Calls add(upstream, output) for every term of L, or of what remains of it where only part of the
/// upstream gradient is lit.
template <class T, class Add>
void for_each_term(const Problem<T>& p, Add add) {
  const auto [T_, B, I, H] = p.spec().shape;
  if (p.dout.y) {
    for (Index b = 0; b < B; ++b) {
      for (Index t = 0; t < length_of(p, b); ++t) {
        for (Index j = 0; j < H; ++j) add(p.dout.y(t, b, j), p.out.y(t, b, j));
      }
    }
  }
  const auto add_state = [&](const View<T>& upstream, const View<T>& state) {
    for (Index e = 0; e < upstream.size(); ++e) add(upstream[e], state[e]);
  };
  add_state(p.dout.hT, p.out.hT);
  add_state(p.dout.cT, p.out.cT);
}

template <class T>
T loss(const Problem<T>& p) {
  T sum(0);
  for_each_term(p, [&](const T& upstream, const T& output) { sum += upstream * output; });
  return sum;
}

template <class T>
T loss_magnitude(const Problem<T>& p) {
  T sum(0);
  for_each_term(p, [&](const T& upstream, const T& output) { sum += std::abs(upstream * output); });
  return sum;
}

struct Estimate {
  double value = 0;
  double error = 0;  ///< its own estimate of it
};

/// Derivative of L by complex step. Leaves the element as it was.
class ComplexStep {
 public:
  explicit ComplexStep(const Problem<double>& inputs)
      : problem_(inputs.spec()), plan_(naive::make_plan<Complex>(inputs.spec())) {
    copy_given(inputs, problem_);
  }
  double operator()(Complex& element, double step = h) {
    const Complex kept = element;
    element += Complex(0, step);
    run_forward(*plan_, problem_);
    element = kept;
    return loss(problem_).imag() / step;
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
    for_each_term(problem_, [&](const Complex& upstream, const Complex& output) {
      sum += std::abs(upstream.real() * output.imag());
    });
    return sum / h * std::numeric_limits<double>::epsilon() / 2;
  }
  const Problem<Complex>& problem() const { return problem_; }

  // Small enough that h^2 is nothing beside 1, large enough that no product underflows.
  static constexpr double h = 1e-30;

 private:
  Problem<Complex> problem_;
  std::unique_ptr<Plan<Complex>> plan_;
};

/// Derivative of L by central differences. Leaves the element as it was.
class FiniteDifferences {
 public:
  explicit FiniteDifferences(const Problem<double>& inputs)
      : problem_(inputs.spec()), plan_(naive::make_plan<long double>(inputs.spec())) {
    copy_given(inputs, problem_);
  }

  /// Good where its error is below `wanted`: smaller steps are tried until it is, because a step
  /// that crosses a kink (of relu) converges to nothing.
  Estimate operator()(long double& element, double wanted) {
    Estimate best{0, std::numeric_limits<double>::infinity()};
    for (long double h = largest_step; h >= smallest_step; h /= 16) {
      const Estimate estimate = extrapolate(element, h);
      if (estimate.error < best.error) best = estimate;
      if (best.error <= wanted) break;
    }
    return best;
  }

  const Problem<long double>& problem() const { return problem_; }

 private:
  // Truncation is of order h^8 after four levels, rounding of order 1e-19/h: they meet near 2^-6.
  static constexpr long double largest_step = 0x1p-5L, smallest_step = 0x1p-18L;
  static constexpr int levels = 4;

  long double difference(long double& element, long double h) {
    const long double kept = element;
    element = kept + h;
    run_forward(*plan_, problem_);
    const long double above = loss(problem_);
    element = kept - h;
    run_forward(*plan_, problem_);
    const long double below = loss(problem_);
    element = kept;
    return (above - below) / (2 * h);
  }

  /// Neville's table in h^2, step halved from level to level.
  Estimate extrapolate(long double& element, long double h) {
    std::array<std::array<long double, levels>, levels> table{};
    for (int i = 0; i < levels; ++i, h /= 2) {
      table[i][0] = difference(element, h);
      long double factor = 4;
      for (int k = 1; k <= i; ++k, factor *= 4) {
        table[i][k] = (factor * table[i][k - 1] - table[i - 1][k - 1]) / (factor - 1);
      }
    }
    const long double last = table[levels - 1][levels - 1];
    const long double spread = std::max(std::abs(last - table[levels - 2][levels - 2]),
                                        std::abs(last - table[levels - 1][levels - 2]));
    // The columns of the table may agree by luck; the rounding of the smallest step's losses stays.
    constexpr long double roundings = 16;
    const long double noise = roundings * std::numeric_limits<long double>::epsilon() *
                              loss_magnitude(problem_) / (2 * h);
    return {static_cast<double>(last), static_cast<double>(spread + noise)};
  }

  Problem<long double> problem_;
  std::unique_ptr<Plan<long double>> plan_;
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
  GradientCheck(const Backend& backend, const Reference<double>& reference, Result& result)
      : backend_(backend),
        reference_(reference),
        spec_(reference.given.spec()),
        analytic_(spec_),
        complex_step_(reference.given),
        differences_(reference.given),
        result_(result) {}

  void run() {
    copy_given(reference_.given, analytic_);
    poison_results(analytic_);
    run_both(*backend_.plan<double>(spec_, Exec{}), analytic_);
    const auto analytic = gradient_tensors(analytic_);
    const auto units = gradient_tensors(reference_.unit);
    const auto complex = variable_tensors(complex_step_.problem());
    const auto real = variable_tensors(differences_.problem());
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      if (!analytic[i].view || !complex[i].view) continue;
      for (const Slice& slice : slices_of(spec_, analytic[i].info)) {
        check_slice(analytic[i], units[i].view, complex[i].view, real[i].view, slice);
      }
    }
  }

 private:
  void check_slice(const NamedView<double>& analytic, const View<double>& units,
                   const View<Complex>& complex, const View<long double>& real,
                   const Slice& slice) {
    double signal = 0, noise = 0;
    Index live = 0;
    for (Index e = slice.begin; e < slice.end; ++e) {
      if (is_padding(spec_, reference_.given.lengths(), analytic.info, e)) continue;
      Legs legs;
      legs.analytic = analytic.view[e];
      legs.complex_step = complex_step_(complex[e]);
      legs.unit = std::max(units[e], complex_step_.rounding());
      if (!legs.analytic_is_complex()) {
        const Estimate repeated = complex_step_.repeated(complex[e]);
        legs.complex_step = repeated.value;
        legs.unit = std::max(legs.unit, repeated.error);
      }
      legs.differences = differences_(real[e], error_limit * units[e]);
      ++live;
      signal += legs.complex_step * legs.complex_step;
      const double uncertainty = error_limit * legs.unit + legs.differences.error;
      noise += uncertainty * uncertainty;
      judge(analytic.info, e, legs, complex[e]);
    }
    if (live == 0) return;
    result_.elements += live;
    ++result_.slices;
    if (!(std::sqrt(noise) < required_resolution<double>() * std::sqrt(signal))) {
      ++result_.inconclusive_slices;
    }
  }

  void judge(const TensorInfo& info, Index e, const Legs& legs, Complex& element) {
    const double units = legs.worst_units();
    const Place place = place_of(spec_, info, e);
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
                                              std::to_string(spec_.shape.T)
                                        : first_wrong_step(info, e, element, legs);
    result_.findings.push_back(std::move(finding));
  }

  /// The complex-step derivative of the *states* at one element holds that of every part of the
  /// loss.
  std::string first_wrong_step(const TensorInfo& info, Index e, Complex& element, const Legs& all) {
    complex_step_(element);  // leaves the derivatives of all states in the problem's outputs
    Problem<double> lit(spec_);
    copy_given(reference_.given, lit);
    Problem<Complex> lit_complex(spec_);
    copy_given(complex_step_.problem(), lit_complex);
    const auto from = result_tensors(complex_step_.problem());
    const auto to = result_tensors(lit_complex);
    for (std::size_t i = 0; i < from.size(); ++i) {
      std::copy(from[i].view.begin(), from[i].view.end(), to[i].view.begin());
    }
    const auto plan = backend_.plan<double>(spec_, Exec{});
    return describe_first_wrong(spec_.shape.T, [&](const Upstream& upstream) {
      light(reference_.given, upstream, lit);
      light(complex_step_.problem(), upstream, lit_complex);
      run_both(*plan, lit);
      const double exact = loss(lit_complex).imag() / ComplexStep::h;
      double got = 0;
      for (const auto& [other, view] : gradient_tensors(lit)) {
        if (other.base_name == info.base_name) got = view[e];
      }
      // The unit of the whole loss bounds that of its parts but for cancellation between them.
      return !(std::abs(got - exact) <=
               error_limit * (all.unit + std::abs(exact) * std::numeric_limits<double>::epsilon()));
    });
  }

  const Backend& backend_;
  const Reference<double>& reference_;
  const Spec& spec_;
  Problem<double> analytic_;
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
  result.cell = to_string(c.spec.cell);
  result.subject = c.name;
  result.seed = seed;
  if (const auto reason = backend.refusal(c.spec, Dtype::f64, Exec{})) {
    result.verdict = Verdict::refused;
    result.reason = *reason;
    return result;
  }
  GradientCheck(backend, reference, result).run();
  conclude(result);
  return result;
}

}  // namespace bptt::verify
