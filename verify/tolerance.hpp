// What a backend's results are compared with, and in which unit. See docs/verification.md, which
// derives the unit and states how the limit was measured.
//
// The unit of an element is the error that naive itself makes there in the precision judged: the
// root mean square over the problem and close neighbours of it (every input moved by at most one
// unit in its last place), steadied by the same over the element's slice. So it follows the
// conditioning of each element, and no tolerance is picked by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "impls/api/tensor.hpp"

namespace bptt::verify {

/// The one limit: an element fails where it is off by more than this many units.
inline constexpr double error_limit = 32;

/// A part of a tensor that is judged by its own signal and noise: one time step of x and y, one
/// gate block of a parameter, a whole state. A contiguous range of elements.
struct Slice {
  Index begin = 0, end = 0;
  Index time = -1;  ///< -1: has no time axis
  Index gate = -1;  ///< -1: has no gate blocks
};
std::vector<Slice> slices_of(const Spec&, const TensorInfo&);

/// Where one element is, in the words of a message.
struct Place {
  std::string tensor;
  Index index = -1;  ///< -1: nowhere in particular
  Index time = -1, batch = -1;
  std::string gate;             ///< of a parameter
  Index row = -1, column = -1;  ///< row: within the gate block; column: the last axis
};
Place place_of(const Spec&, const TensorInfo&, Index index);
/// "grad.weight_hh_l0 gate f row 3 column 2", "grad.x t=4 batch 1 column 0"
std::string to_string(const Place&);

/// True where element `index` is padding: a step beyond its sequence's length.
bool is_padding(const Spec&, const std::vector<Index>& lengths, const TensorInfo&, Index index);

/// Inputs, and what naive makes of them in the next higher precision.
template <Real T>
struct Reference {
  explicit Reference(const Spec& spec) : given(spec), expected(spec), unit(spec) {}

  Problem<T> given;            ///< what a backend gets
  Problem<Wider<T>> expected;  ///< out and grads
  Problem<double> unit;        ///< out and grads: the unit of each element
};

/// `source` are inputs in double. Where `T` is float, they are rounded for naive<float>;
/// `rounding_is_error` says whether the higher precision gets them rounded as well (the suite's own
/// fixtures, which hold floats) or as they are (a file in double, of which a float backend has to
/// make what it can).
enum class Rounding { shared, is_error };
template <Real T>
std::unique_ptr<Reference<T>> make_reference(const Problem<double>& source, std::uint64_t seed,
                                             Rounding = Rounding::shared);
/// The same with the number of problems that the unit is measured over, the source among them.
template <Real T>
std::unique_ptr<Reference<T>> make_reference(const Problem<double>& source, std::uint64_t seed,
                                             Rounding, int runs);

/// How many problems that is by default: small slices need more of them.
int neighbours_for(const Spec&);

/// One tensor compared.
struct TensorError {
  TensorInfo info;
  Index elements = 0;  ///< compared; padding not counted
  Index slices = 0;
  Index inconclusive_slices = 0;  ///< the limit there is not far enough below the signal
  double worst = 0;               ///< largest error in units; infinite where NaN or Inf came
  Place place;                    ///< of the worst
  double got = 0, expected = 0, unit = 0;
  Index wrong = 0;  ///< elements beyond the limit
  Index first_wrong_time = -1, last_wrong_time = -1;
  Index nonzero_padding = 0;  ///< padded elements that are not exactly zero
  Place padding_place;
  double padding_got = 0;

  bool failed() const { return wrong > 0 || nonzero_padding > 0; }
};

/// Compares `got` with `expected` (of any wider type), both of the tensor's extents.
template <class Got, class Expected>
TensorError compare(const Spec&, const std::vector<Index>& lengths, const TensorInfo&,
                    const View<Got>& got, const View<const Expected>& expected,
                    const View<double>& unit, double resolution);

/// The share of the signal that the limit must stay below for a slice to count as checked: the cube
/// root of the unit roundoff, so that in any precision at least the leading third of the digits is.
template <class T>
double required_resolution();

}  // namespace bptt::verify
