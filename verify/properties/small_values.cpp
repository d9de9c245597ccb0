// The smallest numbers: denormals, which must not be flushed to zero, and zeros of either sign.
#include <algorithm>
#include <cmath>
#include <limits>

#include "impls/net/random.hpp"
#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"
#include "verify/random_values.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {
namespace {

bool is_upstream(const Layout& layout) {
  return layout.name == "dy" || layout.name == "dhT" || layout.name == "dcT";
}
bool is_input(const Layout& layout) {
  return layout.name == "x" || layout.name == "h0" || layout.name == "c0";
}

template <Real T>
class Denormals final : public PreparedProperty<T> {
 public:
  Denormals(const Spec& spec, const PropertySetup& setup) {
    const auto subject = setup(layer_subject(spec));
    const auto layouts = given_layouts(*subject);
    const Given drawn = subject->draw(setup.seed, dtype_of<T>);
    // The upper half of the denormal numbers' digits.
    constexpr int digits = std::numeric_limits<T>::digits - 1;
    constexpr int exponent = std::numeric_limits<T>::min_exponent - 1 - digits / 4;
    for (const bool upstream : {false, true}) {
      Given given = drawn;
      for (std::size_t i = 0; i < layouts.size(); ++i) {
        if (!(upstream ? is_upstream(layouts[i]) : is_input(layouts[i]))) continue;
        for (double& value : given.values[i]) {
          value = static_cast<double>(static_cast<T>(std::ldexp(value, exponent)));
        }
      }
      auto& [what, trial] = trials_.emplace_back(
          upstream ? "upstream gradients are denormal" : "x, h0 and c0 are denormal",
          Trial<T>(subject, given, setup.seed));
      raise_units(trial);
    }
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    for (const auto& [what, trial] : trials_) {
      compare_with_reference<T>("denormals", what, trial,
                                run_on<T>(backend, exec, *trial.subject, trial.ref.given), result);
    }
    result.inconclusive_slices = 0;
  }

 private:
  /// The square of an f64's error here is zero in double. So the unit is measured once more, in
  /// spacings of the denormal numbers: naive's root mean square over the slice, one at least.
  static void raise_units(Trial<T>& trial) {
    constexpr auto spacing = static_cast<double>(std::numeric_limits<T>::denorm_min());
    const Values<T> naive =
        verify::run(*trial.subject->template make<T>(naive_plans<T>()), trial.ref.given);
    for (std::size_t i = 0; i < naive.size(); ++i) {
      for (const Slice& slice : slices_of(trial.ref.layouts[i])) {
        double squares = 0;
        for (auto e = static_cast<std::size_t>(slice.begin);
             e < static_cast<std::size_t>(slice.end); ++e) {
          const auto error = static_cast<double>(naive[i][e] - trial.ref.expected[i][e]);
          squares += error / spacing * (error / spacing);
        }
        const double rms = std::sqrt(squares / static_cast<double>(slice.end - slice.begin));
        for (auto e = static_cast<std::size_t>(slice.begin);
             e < static_cast<std::size_t>(slice.end); ++e) {
          trial.ref.unit[i][e] = std::max(trial.ref.unit[i][e], spacing * std::max(1.0, rms));
        }
      }
    }
  }

  std::vector<std::pair<std::string, Trial<T>>> trials_;
};

template <Real T>
class SignedZeros final : public PreparedProperty<T> {
 public:
  SignedZeros(const Spec& spec, const PropertySetup& setup)
      : subject_(setup(layer_subject(spec))),
        layouts_(result_layouts(*subject_->template make<T>(naive_plans<T>()), spec.cell)) {
    const auto given = given_layouts(*subject_);
    positive_ = subject_->draw(setup.seed, dtype_of<T>);
    net::Random random(setup.seed, hash_of("signs"));
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (!is_input(given[i]) && !is_upstream(given[i])) continue;
      // All of the first sequence (its preactivations are then zero where there is no bias, at the
      // kink of relu), every third element of the others.
      const Index width = given[i].extents[given[i].extents.rank() - 1];
      for (std::size_t e = 0; e < positive_.values[i].size(); ++e) {
        const bool first = static_cast<Index>(e) / width % spec.shape.B == 0;
        if ((first && is_input(given[i])) || e % 3 == 0) positive_.values[i][e] = 0;
      }
    }
    negative_ = mixed_ = positive_;
    for (std::size_t i = 0; i < given.size(); ++i) {
      for (std::size_t e = 0; e < positive_.values[i].size(); ++e) {
        if (positive_.values[i][e] != 0) continue;
        negative_.values[i][e] = -0.0;
        if (random.below(2) == 0) mixed_.values[i][e] = -0.0;
      }
    }
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto model = subject_->template make<T>(plans_of<T>(backend, exec));
    const Values<T> expected = verify::run(*model, positive_);
    for (const Given* given : {&negative_, &mixed_}) {
      const Values<T> got = verify::run(*model, *given);
      for (std::size_t i = 0; i < got.size(); ++i) {
        const auto [g, e] = std::mismatch(got[i].begin(), got[i].end(), expected[i].begin());
        result.elements += std::ssize(got[i]);
        if (g == got[i].end()) continue;
        Finding finding;
        finding.check = "signed-zeros";
        finding.place = place_of(layouts_[i], g - got[i].begin());
        finding.got = *g;
        finding.expected = *e;
        finding.message = std::string("another number where ") +
                          (given == &negative_ ? "all" : "half of the") +
                          " zeros among inputs and upstream gradients are -0";
        result.findings.push_back(std::move(finding));
      }
    }
  }

 private:
  std::shared_ptr<const Subject> subject_;
  std::vector<Layout> layouts_;
  Given positive_, negative_, mixed_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_denormals(const Spec& spec, const PropertySetup& setup) {
  return std::make_unique<Denormals<T>>(spec, setup);
}
template <Real T>
Prepared<T> prepare_signed_zeros(const Spec& spec, const PropertySetup& setup) {
  return std::make_unique<SignedZeros<T>>(spec, setup);
}

#define BPTT_INSTANTIATE(T)                                                  \
  template Prepared<T> prepare_denormals(const Spec&, const PropertySetup&); \
  template Prepared<T> prepare_signed_zeros(const Spec&, const PropertySetup&)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
