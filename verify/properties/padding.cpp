// What stands beyond a sequence's length has no effect on anything, whatever it is.
#include <limits>

#include "verify/bits.hpp"
#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"

namespace bptt::verify {
namespace {

template <Real T>
class PaddingValues final : public PreparedProperty<T> {
 public:
  PaddingValues(const Fixture& fixture, const PropertySetup& setup)
      : subject_(fixture.subject(setup, tied_lengths(fixture.stack.shape))),
        given_(subject_->draw(setup.seed, dtype_of<T>)),
        given_layouts_(given_layouts(*subject_)),
        layouts_(result_layouts(*subject_->template make<T>(naive_plans<T>()), subject_->cell())) {}

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto model = subject_->template make<T>(plans_of<T>(backend, exec));
    const Values<T> with_nan = verify::run(*model, given_);
    using Limits = std::numeric_limits<T>;
    for (const double filling :
         {0.0, 1.0, static_cast<double>(Limits::max()), -static_cast<double>(Limits::max()),
          std::numeric_limits<double>::infinity(), static_cast<double>(Limits::denorm_min())}) {
      compare_bits<T>(layouts_, verify::run(*model, filled(filling)), with_nan, "padding-values",
                      "other bits where the padding of x and of upstream gradients holds " +
                          number_text(filling) + " than where it holds NaN",
                      result.findings);
    }
  }

 private:
  Given filled(double value) const {
    Given given = given_;
    for (std::size_t i = 0; i < given.values.size(); ++i) {
      const Layout& layout = given_layouts_[i];
      for (Index e = 0; e < layout.extents.size(); ++e) {
        if (is_padding(layout, e)) given.values[i][static_cast<std::size_t>(e)] = value;
      }
    }
    return given;
  }

  std::shared_ptr<const Subject> subject_;
  Given given_;
  std::vector<Layout> given_layouts_, layouts_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_padding_values(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<PaddingValues<T>>(fixture, setup);
}
template Prepared<float> prepare_padding_values(const Fixture&, const PropertySetup&);
template Prepared<double> prepare_padding_values(const Fixture&, const PropertySetup&);

}  // namespace bptt::verify
