// States and gradients that outgrow the precision: Inf exactly where the true number is beyond the
// largest one, and right up to there.
//
// Every number is positive, so no sum cancels, no order of summation overflows where another does
// not, and Inf never meets -Inf. A state grows by 2^40 (f32) a step: few elements come near the
// border, and those within a factor of 16 of it may go either way.
#include <cmath>
#include <limits>

#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {
namespace {

template <Real T>
class Overflow final : public PreparedProperty<T> {
 public:
  Overflow(const Spec& spec, const PropertySetup& setup)
      : subject_(setup(layer_subject(spec))), given_(subject_->draw(setup.seed, dtype_of<T>)) {
    const auto given = given_layouts(*subject_);
    constexpr int growth = sizeof(T) == 4 ? 40 : 300;
    const double per_unit = std::exp2(growth) / static_cast<double>(spec.shape.H);
    for (std::size_t i = 0; i < given.size(); ++i) {
      for (double& value : given_.values[i]) {
        value = given[i].name == "weight_hh_l0" ? per_unit : std::abs(value) + 0.25;
        value = static_cast<double>(static_cast<T>(value));
      }
    }
    const auto wide = subject_->template make<Wider<T>>(naive_plans<Wider<T>>());
    layouts_ = result_layouts(*wide, spec.cell);
    expected_ = verify::run(*wide, given_);
    // What any order of summation may lose: an element is a sum along at most this many roundings,
    // all of one sign.
    const auto [steps, B, I, H] = spec.shape;
    relative_ = static_cast<double>(steps * (2 * (I + H) + 4) + steps * B) *
                std::numeric_limits<T>::epsilon();
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const Values<T> got = run_on<T>(backend, exec, *subject_, given_);
    constexpr auto largest = static_cast<Wider<T>>(std::numeric_limits<T>::max());
    for (std::size_t i = 0; i < got.size(); ++i) {
      for (std::size_t e = 0; e < got[i].size(); ++e) {
        const Wider<T> expected = expected_[i][e];
        const T value = got[i][e];
        if (expected > largest / 16 && expected < largest * 16) continue;
        ++result.elements;
        const bool overflows = expected >= largest;
        const bool right =
            overflows ? value == std::numeric_limits<T>::infinity()
                      : std::abs(static_cast<Wider<T>>(value) - expected) <= relative_ * expected;
        if (right) continue;
        Finding finding;
        finding.check = "overflow";
        finding.place = place_of(layouts_[i], static_cast<Index>(e));
        finding.got = value;
        finding.expected =
            overflows ? std::numeric_limits<double>::infinity() : static_cast<double>(expected);
        finding.message = overflows ? "expected Inf, the number being beyond the largest one"
                                    : "expected a finite number, all terms being positive";
        result.findings.push_back(std::move(finding));
        break;
      }
    }
  }

 private:
  std::shared_ptr<const Subject> subject_;
  Given given_;
  std::vector<Layout> layouts_;
  Values<Wider<T>> expected_;
  double relative_ = 0;
};

}  // namespace

template <Real T>
Prepared<T> prepare_overflow(const Spec& spec, const PropertySetup& setup) {
  return std::make_unique<Overflow<T>>(spec, setup);
}
template Prepared<float> prepare_overflow(const Spec&, const PropertySetup&);
template Prepared<double> prepare_overflow(const Spec&, const PropertySetup&);

}  // namespace bptt::verify
