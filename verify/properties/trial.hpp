// What the relations of this folder are made of: a subject with inputs and units, runs of a backend
// on it, rows and steps of tensors moved about, and results compared with results.
#pragma once

#include <span>

#include "verify/properties/property.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {

/// A subject with its inputs, and the unit of each element of its results.
template <Real T>
struct Trial {
  Trial(std::shared_ptr<const Subject> of, const Given& given, std::uint64_t seed)
      : subject(std::move(of)), ref(make_reference<T>(*subject, given, seed)) {}
  Trial(std::shared_ptr<const Subject> of, std::uint64_t seed)
      : Trial(of, of->draw(seed, dtype_of<T>), seed) {}

  std::shared_ptr<const Subject> subject;
  Reference<T> ref;
};

/// Forward and backward on a plan of its own.
template <Real T>
Values<T> run_on(const Backend&, const Exec&, const Subject&, const Given&);

/// Of what a Given of this subject lists, in its order.
std::vector<Layout> given_layouts(const Subject&);

/// Index of the tensor of this name, or -1.
Index find_tensor(const std::vector<Layout>&, std::string_view name);

/// Rows of a batched tensor (its last axis but one), in the given order; a tensor that is not
/// batched as it is.
template <class Value>
std::vector<Value> take_rows(const Layout&, const std::vector<Value>&, std::span<const Index> rows);

/// The same of every tensor.
template <class Value>
Values<Value> take_rows(const std::vector<Layout>&, const Values<Value>&,
                        std::span<const Index> rows);

/// Numbers to compare results with, and the units of the difference: those of both sides, which err
/// independently, as the root of the sum of squares.
struct Expectation {
  Values<double> values;
  Values<double> units;

  /// Adds factor * values to tensor i; units in quadrature.
  template <Real T>
  void add(std::size_t i, const std::vector<T>& more, const std::vector<double>& more_units,
           double factor = 1);
};

/// The unit of got - expected where `got` has the reference's units.
Expectation expect(Values<double> values, const Values<double>& units_of_values,
                   const Values<double>& units_of_got);

template <Real T>
Values<double> widened(const Values<T>&);

/// Each tensor within the limit of its expectation. What is beyond becomes a finding of `check`,
/// with `message` before what is known of it.
template <Real T>
void compare_results(const std::string& check, const std::string& message,
                     const std::vector<Layout>&, const Values<T>& got, const Expectation&, Result&);

/// The same against what naive made of the trial's inputs in the next higher precision.
template <Real T>
void compare_with_reference(const std::string& check, const std::string& message, const Trial<T>&,
                            const Values<T>& got, Result&);

/// 0, 1, ..., n-1
std::vector<Index> iota(Index n);

}  // namespace bptt::verify
