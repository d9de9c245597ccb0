// Checks a backend at a benchmark's own shape in a second or two, before it is timed there and
// after: naive in the next higher precision is too slow for the whole batch, but rows of a batch
// are independent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "impls/api/backend.hpp"

namespace bptt::verify {

struct AtShape {
  enum class Status {
    full,     ///< at this shape
    reduced,  ///< at fewer time steps, or fewer units, as `note` says
    failed,
  };
  Status status = Status::full;
  double max_error =
      0;             ///< in units of the limit: above 1 fails; infinite for NaN, Inf, exact checks
  std::string note;  ///< what failed and where, or how it was reduced
};
std::string_view name_of(AtShape::Status);

template <Real T>
class ShapeTruth;

/// A plan of a stack with all the tensors that it runs on.
template <Real T>
struct Candidate {
  std::span<const Params<T>> params;  ///< L*D
  Inputs<T> in;
  Outputs<T> out;
  OutputGrads<T> dout;
  StackGrads<T> grads;
  std::function<void()> run;  ///< forward and backward over them
};

/// Remembers what the reference made of the last cases, so that several backends, or one before and
/// after it was timed, cost one reference.
class ShapeChecks {
 public:
  /// A new plan of the backend, over the full batch, with upstream gradients in a few rows (first,
  /// middle, last; with lengths the longest, the shortest and one between them) and zero in all
  /// others. The sampled rows' y, hT, cT, dx, dh0, dc0 and *all* gradients of parameters are
  /// compared with naive in the next higher precision over those rows alone; dx, dh0, dc0 of the
  /// other rows must be exactly zero, their y and states finite. Where naive would take longer than
  /// about two seconds, T is cut, and lengths in proportion, then the number of rows, then H and I.
  ///
  /// A stack is checked as a whole, whether the backend plans it so or it is composed. `lengths`
  /// [B] in 0..T where the spec has lengths, else none.
  ///
  /// Throws Error(unavailable) where the backend refuses the case or its tensors do not fit in
  /// memory.
  AtShape check(const Backend&, const StackSpec&, Dtype, const Exec&, std::uint64_t seed,
                std::span<const Index> lengths = {});

  /// The same of a plan that exists, on its own tensors at their addresses, whose inputs are
  /// overwritten with those of check(); what its results hold before it runs is up to the caller.
  /// Nothing where the reference would take too long for the whole of the case: a plan that exists
  /// has one shape.
  template <Real T>
  std::optional<AtShape> check(const Candidate<T>&, const StackSpec&, std::uint64_t seed,
                               std::span<const Index> lengths = {});

 private:
  struct Known {
    std::string key;
    std::size_t bytes;
    std::shared_ptr<const void> truth;
  };
  template <Real T>
  std::shared_ptr<const ShapeTruth<T>> truth(const StackSpec&, std::uint64_t seed,
                                             std::span<const Index> lengths);

  std::vector<Known> known_;
};

/// Once, of a single layer.
AtShape check_at_shape(const Backend&, const Spec&, Dtype, const Exec&, std::uint64_t seed,
                       std::span<const Index> lengths = {});

}  // namespace bptt::verify
