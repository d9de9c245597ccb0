// Which part of a benchmark's case the reference computes: a few rows of the batch, and of large
// cases fewer steps or units, so that it takes a second or two.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "impls/api/scalar.hpp"
#include "impls/api/stack_spec.hpp"

namespace bptt::verify {

struct ShapePart {
  StackSpec asked;             ///< the case
  StackSpec spec;              ///< what backends run: the case, or as much of it as fits
  std::vector<Index> lengths;  ///< [B], of `spec`, where it has lengths
  std::vector<Index> rows;     ///< that the reference computes
  int runs = 1;                ///< that the unit of an error is measured over

  bool is_full() const { return spec == asked; }
  bool has_row(Index b) const;
  /// The sampled rows as a batch of their own.
  StackSpec spec_of_rows() const;
  std::vector<Index> lengths_of_rows() const;
  /// "verified at T=12 of 50"; only where it is not full.
  std::string reduction() const;
};

/// The largest part for which naive in this precision and the next higher one takes no more than
/// about two seconds and half a gigabyte: T is cut first, and lengths in proportion, then the
/// number of rows, then H and I. `lengths` [B] in 0..T where the spec has lengths, else none.
ShapePart part_of(const StackSpec&, Dtype, std::span<const Index> lengths);

}  // namespace bptt::verify
