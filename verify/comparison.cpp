#include "verify/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/kink_sides.hpp"

namespace bptt::verify {
namespace {

template <Real T, class E>
class OnKinks {
 public:
  OnKinks(const Reference<T>& reference, const Expectation<E>& expectation, const Values<T>& got)
      : reference_(reference), expectation_(expectation), got_(got), kinks_(*reference.kinks) {}

  void compare_into(Result& result) {
    // The sides that the expectation has taken: naive's own, but for a file of another system.
    const SidesFit of_expectation = fit_sides<T>(
        kinks_, [&](const At& at) { return misfit(expectation_.values, at.values, units(at)); });
    origin_ = kinks_.at(of_expectation.sides).values;
    const SidesFit fit = fit_sides<T>(
        kinks_, [&](const At& at) { return misfit(got_, shifted(at.values), units(at)); });
    const At best = kinks_.at(fit.sides);
    expectation_.values = shifted(best.values);
    expectation_.unit = units(best);
    const std::string on_kink = std::to_string(kinks_.units().size()) + " units on the kink";
    if (fit.misfit == 0 || fit.exhaustive) {
      absorb_all(got_, result);
      return;
    }
    absorb_all(without_reached(), result);
    if (!result.findings.empty()) return;
    ++result.inconclusive_slices;
    result.reason = "no choice of sides was found to agree at " + on_kink +
                    ", too many to try them all; elsewhere everything agrees";
  }

 private:
  using W = Wider<T>;
  using At = typename KinkSides<T>::At;

  /// The sum of squared errors, in units, of the elements beyond the limit.
  template <class A, class B>
  double misfit(const Values<A>& a, const Values<B>& b, const Values<double>& unit) const {
    constexpr double most = 1e30;  // also of what is not a number
    double sum = 0;
    for (std::size_t i = 0; i < expectation_.values.size(); ++i) {
      for (std::size_t e = 0; e < expectation_.values[i].size(); ++e) {
        const auto error = std::abs(static_cast<double>(static_cast<W>(a[i][e]) - W(b[i][e])));
        if (error == 0) continue;
        const double units = error / unit[i][e];
        if (units <= error_limit) continue;
        sum += units < most ? units * units : most * most;
      }
    }
    return sum;
  }

  /// With one side, a gradient may be zero and without error where with the other it is neither.
  Values<double> units(const At& at) const {
    Values<double> unit = at.unit;
    for (std::size_t i = 0; i < unit.size(); ++i) {
      // Stored in f32, judged in units of that.
      const bool coarse = expectation_.resolution[i] > required_resolution<T>();
      const double scale =
          coarse ? std::numeric_limits<float>::epsilon() / std::numeric_limits<double>::epsilon()
                 : 1;
      for (std::size_t e = 0; e < unit[i].size(); ++e) {
        unit[i][e] = std::max(unit[i][e] * scale, expectation_.unit[i][e]);
      }
    }
    return unit;
  }

  Values<E> shifted(const Values<W>& of_sides) const {
    Values<E> values = expectation_.values;
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t e = 0; e < values[i].size(); ++e) {
        values[i][e] += static_cast<E>(of_sides[i][e] - origin_[i][e]);
      }
    }
    return values;
  }

  void absorb_all(const Values<T>& got, Result& result) const {
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (expectation_.values[i].empty()) continue;
      absorb(result, compare<T, E>(reference_.layouts[i], got[i], expectation_.values[i],
                                   expectation_.unit[i], expectation_.resolution[i]));
    }
  }

  /// What was got, with what some unit on the kink reaches taken as right.
  Values<T> without_reached() const {
    const Values<E>& expected = expectation_.values;
    Values<double> reach;
    for (const auto& tensor : origin_) reach.emplace_back(tensor.size());
    const std::size_t n = kinks_.units().size();
    if (n <= most_units_one_by_one) {
      const Values<W> base = kinks_.at(kinks_.taken()).values;
      for (std::size_t unit = 0; unit < n; ++unit) {
        Sides sides = kinks_.taken();
        sides[unit] = !sides[unit];
        const Values<W> flipped = kinks_.at(sides).values;
        for (std::size_t i = 0; i < base.size(); ++i) {
          for (std::size_t e = 0; e < base[i].size(); ++e) {
            reach[i][e] += static_cast<double>(std::abs(flipped[i][e] - base[i][e]));
          }
        }
      }
    }
    Values<T> got = got_;
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (expected[i].empty()) continue;
      const bool gradient = reference_.layouts[i].name.starts_with("grad.");
      for (std::size_t e = 0; e < got[i].size(); ++e) {
        const bool reached =
            n > most_units_one_by_one ? gradient : reach[i][e] > expectation_.unit[i][e];
        if (reached && std::isfinite(got[i][e])) got[i][e] = static_cast<T>(expected[i][e]);
      }
    }
    return got;
  }

  const Reference<T>& reference_;
  Expectation<E> expectation_;
  const Values<T>& got_;
  const KinkSides<T>& kinks_;
  Values<W> origin_;
};

}  // namespace

template <Real T, class E>
void compare_values(const Reference<T>& reference, const Expectation<E>& expectation,
                    const Values<T>& got, Result& result) {
  Result plain = result;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (expectation.values[i].empty()) continue;
    absorb(plain, compare<T, E>(reference.layouts[i], got[i], expectation.values[i],
                                expectation.unit[i], expectation.resolution[i]));
  }
  const bool failed = plain.findings.size() > result.findings.size();
  if (failed && reference.kinks) {
    OnKinks<T, E>(reference, expectation, got).compare_into(result);
  } else {
    result = std::move(plain);
  }
}

#define BPTT_INSTANTIATE(T, E)                                                               \
  template void compare_values(const Reference<T>&, const Expectation<E>&, const Values<T>&, \
                               Result&)
BPTT_INSTANTIATE(float, double);
BPTT_INSTANTIATE(double, double);
BPTT_INSTANTIATE(double, long double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
