// What each file of checks offers to the table of cases: one prepared check per function.
#pragma once

#include "verify/properties/fixture.hpp"

namespace bptt::verify {

template <Real T>
using Prepared = std::unique_ptr<PreparedProperty<T>>;

// batch.cpp
/// Sequences in another order: the same results in that order. With lengths: tied ones, unsorted,
/// rising and falling.
template <Real T>
Prepared<T> prepare_batch_permutation(const Fixture&, const PropertySetup&);
/// The batch in two parts: rows stay, gradients of parameters add.
template <Real T>
Prepared<T> prepare_batch_split(const Fixture&, const PropertySetup&);

// padding.cpp
/// Bitwise the same results whatever x and dy hold beyond a sequence's length.
template <Real T>
Prepared<T> prepare_padding_values(const Fixture&, const PropertySetup&);

// upstream.cpp
/// The gradient of 3 dL - 2 dL' is that combination of both gradients.
template <Real T>
Prepared<T> prepare_linearity(const Fixture&, const PropertySetup&);
/// Upstream gradients times 2^k: gradients times 2^k, bit by bit.
template <Real T>
Prepared<T> prepare_scaling(const Fixture&, const PropertySetup&);
/// Upstream gradients of zero: gradients of exactly zero, after others on the same plan.
template <Real T>
Prepared<T> prepare_zero_upstream(const Fixture&, const PropertySetup&);

// time.cpp
/// [0,T1) and [T1,T) with states and their gradients carried over: the whole.
template <Real T>
Prepared<T> prepare_concatenation(const Fixture&, const PropertySetup&);
/// x reversed in time and both directions' weights swapped: y reversed, its halves swapped.
template <Real T>
Prepared<T> prepare_time_reversal(const Fixture&, const PropertySetup&);

// extents.cpp
template <Real T>
Prepared<T> prepare_empty_extents(const Cell&, const PropertySetup&);
/// Every shape against the reference, with 1 to 3 threads.
template <Real T>
Prepared<T> prepare_extents(const Fixture&, const std::vector<Shape>&, const PropertySetup&);

// determinism.cpp
template <Real T>
Prepared<T> prepare_determinism(const Spec&, const PropertySetup&);

// saturation.cpp
template <Real T>
Prepared<T> prepare_saturation(const Spec&, const PropertySetup&);
template <Real T>
Prepared<T> prepare_extreme_weights(const Spec&, const PropertySetup&);

// small_values.cpp
template <Real T>
Prepared<T> prepare_denormals(const Spec&, const PropertySetup&);
template <Real T>
Prepared<T> prepare_signed_zeros(const Spec&, const PropertySetup&);

// overflow.cpp
template <Real T>
Prepared<T> prepare_overflow(const Spec&, const PropertySetup&);

// planted.cpp
enum class Planted { nan, infinity };
template <Real T>
Prepared<T> prepare_planted(const Spec&, Planted, const PropertySetup&);

}  // namespace bptt::verify
