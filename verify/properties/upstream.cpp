// Gradients are a linear function of what comes from above: of sums, of powers of two, of nothing.
#include <cmath>

#include "impls/net/random.hpp"
#include "verify/bits.hpp"
#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"
#include "verify/random_values.hpp"

namespace bptt::verify {
namespace {

std::vector<Index> lengths_of(const Fixture& fixture) {
  return fixture.stack.lengths ? tied_lengths(fixture.stack.shape) : std::vector<Index>();
}

/// dy, dhT, dcT among what a model is given.
bool is_upstream(const Layout& layout) {
  return layout.name == "dy" || layout.name == "dhT" || layout.name == "dcT";
}
bool is_gradient(const Layout& layout) {
  return layout.name.starts_with("grad.");
}

/// The inputs with every upstream gradient changed.
template <class Change>
Given with_upstream(const std::vector<Layout>& layouts, Given given, Change change) {
  for (std::size_t i = 0; i < given.values.size(); ++i) {
    if (!is_upstream(layouts[i])) continue;
    for (double& value : given.values[i]) value = change(value);
  }
  return given;
}

template <Real T>
class Linearity final : public PreparedProperty<T> {
 public:
  Linearity(const Fixture& fixture, const PropertySetup& setup) {
    const auto subject = fixture.subject(setup, lengths_of(fixture));
    const auto layouts = given_layouts(*subject);
    const Given drawn = subject->draw(setup.seed, dtype_of<T>);
    // On a grid, so that the combination is exact. Most of the second is small beside what stands
    // next to it.
    constexpr double grid = 1024;
    const Given even =
        with_upstream(layouts, drawn, [](double value) { return std::round(grid * value) / grid; });
    net::Random random(setup.seed, hash_of("linearity"));
    const Given uneven = with_upstream(layouts, drawn, [&](double value) {
      if (std::isnan(value)) return value;
      return random.below(6) == 0
                 ? signed_value(random) >= 0 ? 1.0 : -1.0
                 : std::copysign(std::exp2(-static_cast<double>(7 + random.below(3))), value);
    });
    Given both = even;
    for (std::size_t i = 0; i < both.values.size(); ++i) {
      if (!is_upstream(layouts[i])) continue;
      for (std::size_t e = 0; e < both.values[i].size(); ++e) {
        both.values[i][e] = a * even.values[i][e] + b * uneven.values[i][e];
      }
    }
    for (const Given& given : {even, uneven, both})
      trials_.emplace_back(subject, given, setup.seed);
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto model = trials_[0].subject->template make<T>(plans_of<T>(backend, exec));
    const auto first = verify::run(*model, trials_[0].ref.given);
    const auto second = verify::run(*model, trials_[1].ref.given);
    const auto both = verify::run(*model, trials_[2].ref.given);
    const auto& layouts = trials_[2].ref.layouts;
    Expectation combined{widened<T>(first), trials_[2].ref.unit};
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      if (!is_gradient(layouts[i])) continue;
      std::fill(combined.values[i].begin(), combined.values[i].end(), 0);
      combined.add(i, first[i], trials_[0].ref.unit[i], a);
      combined.add(i, second[i], trials_[1].ref.unit[i], b);
    }
    compare_results<T>("linearity",
                       "the gradient of 3 L - 2 M is not 3 times that of L less 2 times that of M",
                       layouts, both, combined, result);
  }

 private:
  static constexpr double a = 3, b = -2;
  std::vector<Trial<T>> trials_;
};

template <Real T>
class Scaling final : public PreparedProperty<T> {
 public:
  Scaling(const Fixture& fixture, const PropertySetup& setup)
      : subject_(fixture.subject(setup, lengths_of(fixture))),
        given_(subject_->draw(setup.seed, dtype_of<T>)),
        given_layouts_(given_layouts(*subject_)),
        layouts_(result_layouts(*subject_->template make<T>(naive_plans<T>()), subject_->cell())) {}

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto model = subject_->template make<T>(plans_of<T>(backend, exec));
    const Values<T> base = verify::run(*model, given_);
    // As far as every product of a step's factors stays within the normal numbers.
    constexpr int far = sizeof(T) == 4 ? 60 : 600;
    for (const int exponent : {1, far / 8, far, -1, -far / 8, -far}) {
      Values<T> expected = base;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (!is_gradient(layouts_[i])) continue;
        for (T& value : expected[i]) value = std::ldexp(value, exponent);
      }
      const Given scaled = with_upstream(given_layouts_, given_,
                                         [&](double value) { return std::ldexp(value, exponent); });
      compare_bits<T>(layouts_, verify::run(*model, scaled), expected, "scaling",
                      "with all upstream gradients times 2^" + std::to_string(exponent) +
                          " it is not exactly that many times as large",
                      result.findings);
    }
  }

 private:
  std::shared_ptr<const Subject> subject_;
  Given given_;
  std::vector<Layout> given_layouts_, layouts_;
};

template <Real T>
class ZeroUpstream final : public PreparedProperty<T> {
 public:
  ZeroUpstream(const Fixture& fixture, const PropertySetup& setup)
      : subject_(fixture.subject(setup, lengths_of(fixture))),
        given_(subject_->draw(setup.seed, dtype_of<T>)),
        zero_(with_upstream(given_layouts(*subject_), given_,
                            [](double value) { return std::isnan(value) ? value : 0; })),
        layouts_(result_layouts(*subject_->template make<T>(naive_plans<T>()), subject_->cell())) {}

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const auto model = subject_->template make<T>(plans_of<T>(backend, exec));
    verify::run(*model, given_);
    const Values<T> got = verify::run(*model, zero_);
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (!is_gradient(layouts_[i])) continue;
      const auto wrong = std::find_if(got[i].begin(), got[i].end(), [](T v) { return v != T(0); });
      if (wrong == got[i].end()) continue;
      Finding finding;
      finding.check = "zero-upstream";
      finding.place = place_of(layouts_[i], wrong - got[i].begin());
      finding.got = *wrong;
      finding.message = "not zero, though every upstream gradient is";
      result.findings.push_back(std::move(finding));
    }
  }

 private:
  std::shared_ptr<const Subject> subject_;
  Given given_, zero_;
  std::vector<Layout> layouts_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_linearity(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<Linearity<T>>(fixture, setup);
}
template <Real T>
Prepared<T> prepare_scaling(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<Scaling<T>>(fixture, setup);
}
template <Real T>
Prepared<T> prepare_zero_upstream(const Fixture& fixture, const PropertySetup& setup) {
  return std::make_unique<ZeroUpstream<T>>(fixture, setup);
}

#define BPTT_INSTANTIATE(T)                                                     \
  template Prepared<T> prepare_linearity(const Fixture&, const PropertySetup&); \
  template Prepared<T> prepare_scaling(const Fixture&, const PropertySetup&);   \
  template Prepared<T> prepare_zero_upstream(const Fixture&, const PropertySetup&)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
