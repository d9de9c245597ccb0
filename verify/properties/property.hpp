// Checks that ask what must hold between a backend's own results, or for inputs that hurt: bits
// that may not change, relations that follow from the equations, values at the ends of the number
// range. Each check is named; a case is a check on one cell and shape.
//
// check                kind          the fault that only it sees
// -------------------- ------------- ----------------------------------------------------------
// rerun                determinism   a race: bits differ between repeated runs of one plan
// other-lengths        determinism   workspace that survives from data with other lengths
// neighbour-plan       determinism   state shared by two plans whose calls are interleaved
// second-forward       determinism   a tape left dirty by a forward without a backward
// fresh-plan           determinism   the first plan (or call) of a process differs from later ones
// alignment            determinism   a path for buffers that are aligned, with other bits
// thread-counts        determinism   bits that depend on threads only where there are more of them
//                                    than rows, or in large batches
// batch-permutation    property      sequences of equal length, or in rising order, mixed up
// batch-split          property      a gradient wrong only in a large batch (its last rows lost)
// padding-values       property      padding read where it holds numbers: equality's is NaN only
// linearity            property      gradients too small beside their neighbours dropped
// scaling              property      gradients clipped, flushed or floored by their magnitude
// zero-upstream        property      gradients not written, or not zero, where upstream is zero
// concatenation        property      a fault of long sequences: dhT, dcT far larger than dy
// time-reversal        property      a fault of stacks that backend and reference share
// empty-extents        property      an extent of zero taken for a valid shape
// extents              property      a last unit, row or panel lost at one extent: equality has
//                                    a handful of extents, this sweeps them, at each thread count
// saturation           values        overflow inside sigmoid or tanh at large preactivations
// denormals            values        denormals flushed to zero (states, inputs, upstream)
// extreme-weights      values        an absolute threshold on weights; overflow before its time
// overflow             values        Inf clamped to a finite number, or NaN in its place
// signed-zeros         values        a slope at zero taken from the sign bit
// planted-nan          values        a NaN swallowed, or one that spreads to where it cannot reach
// planted-inf          values        the same of Inf
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/backend.hpp"
#include "verify/result.hpp"
#include "verify/subject.hpp"

namespace bptt::verify {

struct PropertyInfo {
  std::string_view name;
  CheckKind kind;
  std::string_view must_hold;  ///< in words
};
/// Every check of this folder, in the order of reports.
std::span<const PropertyInfo> property_checks();

/// What a case is drawn with.
struct PropertySetup {
  std::uint64_t seed = 1;
  /// Applied to each subject that a case makes: where tests plant faults around the plans, in the
  /// backend's models or in the reference's as well. Empty: nothing.
  std::function<std::shared_ptr<const Subject>(std::shared_ptr<const Subject>)> wrap;

  std::shared_ptr<const Subject> operator()(std::shared_ptr<const Subject> subject) const {
    return wrap ? wrap(std::move(subject)) : subject;
  }
};

/// A case with its inputs drawn and its references computed: all that no backend takes part in.
template <Real T>
class PreparedProperty {
 public:
  PreparedProperty() = default;
  PreparedProperty(const PreparedProperty&) = delete;
  PreparedProperty& operator=(const PreparedProperty&) = delete;
  virtual ~PreparedProperty() = default;

  /// Appends what is wrong, and counts what was compared. Throws what the backend throws.
  virtual void run(const Backend&, const Exec&, Result&) const = 0;
};

struct PropertyCase {
  std::string name;   ///< "scaling/lstm/T9-B5-I7-H11": the check, the cell, what else tells it
  std::string check;  ///< as property_checks() has it; of kind determinism: "determinism"
  CheckKind kind = CheckKind::property;
  std::string cell;  ///< as to_string has it
  bool quick = false;
  /// It chooses its thread counts itself: the Exec's is not what it is about.
  bool own_threads = false;
  bool recompute = false;  ///< also with recomputation, unless the run is a quick one
  double work = 1;         ///< what it costs, roughly, in the unit of Case::work
  std::function<std::unique_ptr<PreparedProperty<float>>(const PropertySetup&)> prepare_f32;
  std::function<std::unique_ptr<PreparedProperty<double>>(const PropertySetup&)> prepare_f64;

  template <Real T>
  std::unique_ptr<PreparedProperty<T>> prepare(const PropertySetup& setup) const {
    if constexpr (std::same_as<T, float>) {
      return prepare_f32(setup);
    } else {
      return prepare_f64(setup);
    }
  }
};

/// In the order of every list and table.
const std::vector<PropertyCase>& property_cases();

/// Throws Error(usage) where there is none of the name.
const PropertyCase& find_property_case(std::string_view name);

struct PropertyOptions {
  std::vector<int> threads = {1};
  std::vector<Recompute> recompute = {Recompute::none};
  std::uint64_t seed = 1;  ///< for the results' record
};

/// One result per thread count and way to recompute; one alone where the case has thread counts of
/// its own.
template <Real T>
std::vector<Result> check_property(const PropertyCase&, const PreparedProperty<T>&, const Backend&,
                                   const PropertyOptions&);

/// What the boundary check of empty extents asks of whoever takes a spec: that it throws
/// Error(usage) which names the extent. Appends a finding per extent that is taken, or that the
/// message does not name. `accept` is what a user calls: Backend::plan and its like.
void check_empty_extents(const std::function<void(const Spec&)>& accept, const Cell&,
                         std::vector<Finding>&);

}  // namespace bptt::verify
