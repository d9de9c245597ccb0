// NaN or Inf in one element of one input: it shows in exactly the results that depend on it.
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "impls/naive/naive.hpp"
#include "impls/net/random.hpp"
#include "verify/inputs.hpp"
#include "verify/layer_model.hpp"
#include "verify/properties/checks.hpp"
#include "verify/properties/reach.hpp"
#include "verify/properties/trial.hpp"
#include "verify/random_values.hpp"

namespace bptt::verify {
namespace {

/// The same elements of every problem of a spec: tensor and index.
struct Spot {
  std::size_t tensor = 0;
  Index element = 0;
};

template <Real T>
class PlantedValue final : public PreparedProperty<T> {
 public:
  PlantedValue(const Spec& spec, Planted planted, const PropertySetup& setup)
      : spec_(spec),
        planted_(planted),
        check_(planted == Planted::nan ? "planted-nan" : "planted-inf"),
        seed_(setup.seed) {
    const LayerModel<T> model(spec, naive_plans<T>(), [&](Problem<T>& p) { prepare(p); });
    layouts_ = result_layouts<T>(model, spec.cell);
    given_layouts_ = given_layouts_of(model);
    for (const Spot& spot : spots()) {
      Problem<float> marks(spec);
      prepare(marks);
      put(marks, spot, 1.0F);
      mark_reach(marks, Paths::possible);
      Values<float> changed = values_of(marks);
      mark_reach(marks);
      Expected expected{spot, values_of(marks), std::move(changed), {}};
      if (planted == Planted::infinity) {
        Problem<T> problem(spec);
        draw(problem);
        put(problem, spot, std::numeric_limits<T>::infinity());
        expected.naive = results(*naive::make_plan<T>(spec), problem);
      }
      expected_.push_back(std::move(expected));
    }
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    if (const auto reason = backend.refusal(spec_, dtype_of<T>, exec)) {
      throw Error(ErrorKind::unavailable, *reason);
    }
    const auto plan = backend.plan<T>(spec_, exec);
    Problem<T> problem(spec_);
    draw(problem);
    const Values<T> clean = results(*plan, problem);
    for (const Expected& expected : expected_) {
      const T value = planted_ == Planted::nan ? std::numeric_limits<T>::quiet_NaN()
                                               : std::numeric_limits<T>::infinity();
      const T before = put(problem, expected.spot, value);
      compare(expected, results(*plan, problem), clean, result);
      put(problem, expected.spot, before);
    }
  }

 private:
  struct Expected {
    Spot spot;
    Values<float> reached;
    Values<float> changed;  ///< by possible paths
    Values<T> naive;        ///< of Inf
  };

  template <class Number>
  void prepare(Problem<Number>& p) const {
    if (spec_.lengths) p.lengths() = tied_lengths(spec_.shape);
    p.in.lengths = p.lengths();
  }
  void draw(Problem<T>& p) const {
    prepare(p);
    draw_inputs(seed_, p);
  }

  template <class Number>
  static std::vector<View<Number>> given_views(Problem<Number>& p) {
    std::vector<View<Number>> views;
    for (const auto& [info, view] : variable_tensors(p)) {
      if (view) views.push_back(view);
    }
    std::vector<NamedView<Number>> upstream;
    append(p.spec(), p.dout, upstream);
    for (const auto& [info, view] : upstream) {
      if (view) views.push_back(view);
    }
    return views;
  }
  /// Returns what was there.
  template <class Number>
  static Number put(Problem<Number>& p, const Spot& spot, Number value) {
    return std::exchange(given_views(p)[spot.tensor][spot.element], value);
  }
  template <class Number>
  static Values<Number> values_of(const Problem<Number>& p) {
    Values<Number> values;
    for (const auto& [info, view] : result_tensors(p)) {
      if (view) values.emplace_back(view.begin(), view.end());
    }
    return values;
  }
  static Values<T> results(Plan<T>& plan, Problem<T>& p) {
    poison_results(p);
    run_both(plan, p);
    return values_of(p);
  }
  std::vector<Layout> given_layouts_of(const LayerModel<T>& model) const {
    std::vector<Layout> layouts;
    for (const auto& tensor : given_tensors<T>(model)) {
      layouts.push_back(layout_of(tensor, false, spec_.cell, 1));
    }
    return layouts;
  }

  /// Of every block of every tensor (steps: the first, the last, one between) two elements that
  /// are not padding.
  std::vector<Spot> spots() const {
    net::Random random(seed_, hash_of("spots"));
    std::vector<Spot> list;
    for (std::size_t i = 0; i < given_layouts_.size(); ++i) {
      const Layout& layout = given_layouts_[i];
      for (Index block = 0; block < layout.blocks; ++block) {
        const bool is_step = layout.outer == net::OuterAxis::time;
        if (is_step && block > 0 && block != layout.blocks / 2 && block + 1 < layout.blocks)
          continue;
        for (int n = 0; n < 2; ++n) {
          Index element = 0;
          do {
            element = block * layout.block_size() + random.below(layout.block_size());
          } while (is_padding(layout, element));
          list.push_back({i, element});
        }
      }
    }
    return list;
  }

  void compare(const Expected& expected, const Values<T>& got, const Values<T>& clean,
               Result& result) const {
    const std::string where =
        to_string(place_of(given_layouts_[expected.spot.tensor], expected.spot.element));
    const std::string what = planted_ == Planted::nan ? "NaN" : "Inf";
    for (std::size_t i = 0; i < got.size(); ++i) {
      result.elements += std::ssize(got[i]);
      for (std::size_t e = 0; e < got[i].size(); ++e) {
        const T value = got[i][e];
        const bool reached = expected.reached[i][e] != 0;
        std::string message;
        if (!reached) {
          // Elements of padding are zero in both.
          if (std::memcmp(&value, &clean[i][e], sizeof(T)) == 0) continue;
          const bool by_comparison = spec_.cell.kind == CellKind::rnn;
          if (expected.changed[i][e] != 0 && std::isfinite(value) == by_comparison) continue;
          message = what + " planted in " + where + " changes it, which does not depend on that";
        } else if (planted_ == Planted::nan) {
          if (std::isnan(value)) continue;
          message = "NaN planted in " + where + ", which it depends on, does not show";
        } else {
          if (std::isfinite(value) == std::isfinite(expected.naive[i][e])) continue;
          message = "Inf planted in " + where + " makes it " +
                    (std::isfinite(value) ? "finite, which it is not" : "not finite, which it is") +
                    " by the equations in this precision";
        }
        Finding finding;
        finding.check = check_;
        finding.place = place_of(layouts_[i], static_cast<Index>(e));
        finding.got = value;
        finding.expected = !reached                   ? clean[i][e]
                           : planted_ == Planted::nan ? std::numeric_limits<double>::quiet_NaN()
                                                      : expected.naive[i][e];
        finding.message = message;
        result.findings.push_back(std::move(finding));
        break;  // one of a tensor says enough
      }
    }
  }

  Spec spec_;
  Planted planted_;
  std::string check_;
  std::uint64_t seed_;
  std::vector<Layout> layouts_, given_layouts_;
  std::vector<Expected> expected_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_planted(const Spec& spec, Planted planted, const PropertySetup& setup) {
  return std::make_unique<PlantedValue<T>>(spec, planted, setup);
}
template Prepared<float> prepare_planted(const Spec&, Planted, const PropertySetup&);
template Prepared<double> prepare_planted(const Spec&, Planted, const PropertySetup&);

}  // namespace bptt::verify
