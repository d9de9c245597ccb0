// Which stretches of time the tape holds at once. Without recomputation there is one segment, all
// of time; otherwise backward rebuilds the tape segment by segment, last to first.
//
//   none:        the tape holds everything.
//   gates:       h_{t-1} and c_{t-1} of every step are kept. With them known, the steps of a
//   segment
//                no longer wait for each other: it is rebuilt by one product over all its rows.
//   checkpoint:  the states at the start of each segment of ceil(sqrt(T)) steps are kept; a segment
//                is run forward again (Griewank 1992, with one level).
#pragma once

#include "impls/api/exec.hpp"
#include "impls/api/spec.hpp"
#include "impls/schedule/live_rows.hpp"

namespace bptt::schedule {

/// A chunk of pre-activations should still be in a cache when the time loop reads it, the
/// second-level one if it can; but it needs rows enough that a GEMM over it is worth packing W_ih
/// once more, which matters more where both cannot be had. `element_bytes`: of one number.
Index rows_per_chunk(const Spec&, Index element_bytes);

class Segments {
 public:
  struct Sizes {
    Index steps;        ///< of a segment at most; T where rows decide
    Index tape_rows;    ///< most rows of a segment
    Index state_rows;   ///< rows of h_{t-1} and c_{t-1} that the tape holds, without slack
    Index checkpoints;  ///< segments whose first states are kept aside
  };
  static Sizes sizes(const Spec&, Recompute, Index rows, Index element_bytes);

  struct Bookings {
    Booking<Index> begin;
  };
  static Bookings book(WorkspaceLayout& layout, Index T) { return {layout.book<Index>(T + 1)}; }

  Segments(const Workspace& workspace, const Bookings& bookings, const Sizes& sizes)
      : sizes_(sizes), begin_(workspace.at(bookings.begin)) {}

  /// Cuts time anew, for lengths that have changed.
  void assign(const LiveRows&);

  Index count() const { return count_; }
  Index begin(Index segment) const { return begin_[segment]; }
  Index end(Index segment) const { return begin_[segment + 1]; }

 private:
  Sizes sizes_;
  Index* begin_;
  Index count_ = 0;
};

}  // namespace bptt::schedule
