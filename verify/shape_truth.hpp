// Of a benchmark's case: inputs for a plan of its full batch, what naive makes of a few rows of
// them, and the comparison of the two.
#pragma once

#include <cstdint>
#include <memory>

#include "verify/at_shape.hpp"
#include "verify/shape_part.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {

template <Real T>
class ShapeTruth {
 public:
  /// Runs naive over the sampled rows.
  ShapeTruth(ShapePart, std::uint64_t seed);

  const ShapePart& part() const { return part_; }
  /// About what it holds.
  std::size_t bytes() const;

  /// Fills a candidate's parameters, inputs and upstream gradients.
  void fill(const Candidate<T>&) const;
  /// What the candidate made of them.
  AtShape judge(const Candidate<T>&) const;

 private:
  void fill_other_rows(const Candidate<T>&) const;

  ShapePart part_;
  std::uint64_t seed_;
  std::shared_ptr<const Subject> subject_;  ///< of the sampled rows; the reference refers to it
  Reference<T> reference_;
};

}  // namespace bptt::verify
