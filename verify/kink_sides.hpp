// relu and leaky_relu have two derivatives at zero, and both are right there. Where inputs put a
// unit on the kink (zeros in a golden file of somebody else's, a preactivation that two precisions
// round to different sides), a backend may take the derivative of either side, at each such unit by
// itself; nowhere else, and nothing in between.
//
// Whether a unit is on the kink is measured: its preactivation in the higher precision is no larger
// than the error limit in units of naive's own rounding error there, which are those of results
// (verify/tolerance.hpp).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "verify/kinks.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

/// A unit on the kink, of the n-th recurrent layer and direction that a model makes a plan for;
/// `time` counts in the order in which that one runs.
struct KinkUnit {
  std::size_t layer = 0;
  Index time = 0, batch = 0, unit = 0;
  bool operator==(const KinkUnit&) const = default;
};

/// For each unit on the kink: the derivative from above (true) or from below.
using Sides = std::vector<bool>;

/// The units of one model that its inputs put on the kink, and its results with every choice of
/// sides. Computed by a textbook recurrence of its own, which knows rnn alone.
template <Real T>
class KinkSides {
 public:
  /// `narrow[k]` and `wide[k]` are the inputs of problem k in T and in the next higher precision,
  /// the first the case itself; `taken` the sides that naive takes. The subject must outlive this.
  KinkSides(const Subject& subject, std::vector<Given> narrow, std::vector<Given> wide,
            std::vector<KinkUnit> units, Sides taken)
      : subject_(subject),
        narrow_(std::move(narrow)),
        wide_(std::move(wide)),
        units_(std::move(units)),
        taken_(std::move(taken)) {}

  const std::vector<KinkUnit>& units() const { return units_; }
  const Sides& taken() const { return taken_; }

  /// In the next higher precision, in units of the recurrence's own error in T.
  struct At {
    Values<Wider<T>> values;
    Values<double> unit;
  };
  At at(const Sides&) const;

 private:
  const Subject& subject_;
  std::vector<Given> narrow_, wide_;
  std::vector<KinkUnit> units_;
  Sides taken_;
};

/// nullptr where no unit is on the kink.
template <Real T>
std::shared_ptr<const KinkSides<T>> find_kinks(const Subject&, std::vector<Given> narrow,
                                               std::vector<Given> wide);

/// Up to this many units all choices of sides are tried. Beyond: naive's own, all from above, all
/// from below, and from the best of these on whatever lowers the misfit unit by unit, for up to
/// `most_units_one_by_one` units.
inline constexpr std::size_t most_units_in_full = 8, most_units_one_by_one = 128;

struct SidesFit {
  Sides sides;             ///< the best found
  double misfit = 0;       ///< of the best
  bool exhaustive = true;  ///< every choice was tried, or one found that has no misfit
};

/// The choice of sides with the least `misfit`, which is 0 where nothing is wrong.
template <Real T>
SidesFit fit_sides(const KinkSides<T>&,
                   const std::function<double(const typename KinkSides<T>::At&)>& misfit);

}  // namespace bptt::verify
