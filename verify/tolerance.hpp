// What a backend's results are compared with, and in which unit. See docs/verification.md, which
// derives the unit and states how the limit was measured.
//
// The unit of an element is the error that naive itself makes there in the precision judged: the
// root mean square over the inputs and close neighbours of them (every input, and every value of
// tanh and the logistic function, moved by at most one unit in its last place; in every other one
// sums over batch and time reversed), steadied by the same over the element's slice. So it follows
// the conditioning of each element, and no tolerance is picked by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "impls/naive/variation.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

template <Real T>
class KinkSides;

/// The one limit: an element fails where it is off by more than this many units.
inline constexpr double error_limit = 32;

/// Inputs, and what naive makes of them in the next higher precision.
template <Real T>
struct Reference {
  Given given;                  ///< what a backend gets, rounded to T
  std::vector<Layout> layouts;  ///< of the results
  Values<Wider<T>> expected;
  Values<double> unit;  ///< of each element
  /// The units that the inputs put on a kink (verify/kink_sides.hpp); nullptr: none.
  std::shared_ptr<const KinkSides<T>> kinks{};
};

/// Where `T` is float, what is given is rounded for naive<float>; `Rounding` says whether the
/// higher precision gets it rounded as well (the suite's own fixtures, which hold floats) or as it
/// is (a file in double, of which a float backend has to make what it can).
enum class Rounding { shared, is_error };
template <Real T>
Reference<T> make_reference(const Subject&, const Given&, std::uint64_t seed,
                            Rounding = Rounding::shared);
/// The same with the number of runs that the unit is measured over, the given inputs' among them.
template <Real T>
Reference<T> make_reference(const Subject&, const Given&, std::uint64_t seed, Rounding, int runs);

/// The unit of every element, gathered from the errors of several problems.
template <Real T>
class ErrorUnits {
 public:
  explicit ErrorUnits(std::vector<Layout> layouts)
      : layouts_(std::move(layouts)), squares_(layouts_.size()) {}
  void add(const Values<T>& narrow, const Values<Wider<T>>& wide);
  /// `expected` are the results of the problem that is judged.
  Values<double> of(const Values<Wider<T>>& expected) &&;

 private:
  std::vector<Layout> layouts_;
  Values<double> squares_;
  int runs_ = 0;
};

/// How naive computes run number `run` of them: the first as it is.
std::optional<naive::Variation> variation_of(int run, std::uint64_t seed);

/// How many runs that is by default: small slices need more of them.
int runs_for(Index smallest_slice);

/// One tensor compared.
struct TensorError {
  const Layout* layout = nullptr;
  Index elements = 0;  ///< compared; those that must be zero not counted
  Index slices = 0;
  Index inconclusive_slices = 0;  ///< the limit there is not far enough below the signal
  Place inconclusive_place;       ///< of the first of them
  double worst = 0;               ///< largest error in units; infinite where NaN or Inf came
  Place place;                    ///< of the worst
  double got = 0, expected = 0, unit = 0;
  Index wrong = 0;  ///< elements beyond the limit
  Index first_wrong_time = -1, last_wrong_time = -1;
  /// The first element that is wrong in the order of the computation: of the earliest step of what
  /// forward leaves, of the latest step of a gradient.
  Place first_place;
  double first_got = 0, first_expected = 0;
  Index nonzero = 0;  ///< elements that must be zero (padding, what has no effect) and are not
  Place nonzero_place;
  double nonzero_got = 0;

  bool failed() const { return wrong > 0 || nonzero > 0; }
};

/// Compares `got` with `expected` (of any wider type), element by element.
template <class Got, class Expected>
TensorError compare(const Layout&, std::span<const Got> got, std::span<const Expected> expected,
                    std::span<const double> unit, double resolution);

/// The share of the signal that the limit must stay below for a slice to count as checked: the cube
/// root of the unit roundoff, so that in any precision at least the leading third of the digits is.
template <class T>
double required_resolution();

}  // namespace bptt::verify
