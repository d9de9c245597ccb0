// What a relation is tried on: a cell alone, or in a stack, whose extents and lengths the check
// sets.
#pragma once

#include <vector>

#include "impls/api/stack_spec.hpp"
#include "verify/properties/property.hpp"

namespace bptt::verify {

struct Fixture {
  StackSpec stack;  ///< its lengths are on where the check is to give them

  /// A single layer straight on its plan; several as a network without a head. `lengths` is empty
  /// where the stack has none.
  std::shared_ptr<const Subject> subject(const PropertySetup&, const Shape&,
                                         const std::vector<Index>& lengths) const;
  std::shared_ptr<const Subject> subject(const PropertySetup& setup,
                                         const std::vector<Index>& lengths) const {
    return subject(setup, stack.shape, lengths);
  }
};

/// "lstm", "lstm/2-layers-bidirectional-lengths"
std::string to_string(const Fixture&);
/// "T9-B5-I7-H11"
std::string shape_text(const Shape&);

/// [B] lengths in 1..T, unsorted, each several times where B allows; a full one among them.
std::vector<Index> tied_lengths(const Shape&);

}  // namespace bptt::verify
