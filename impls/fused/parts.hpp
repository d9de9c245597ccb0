// The parts of the batch that are run through time independently of each other, and the rows of
// their steps. Without lengths a part is a range of the batch. With lengths, every part has as many
// sequences as without; they are dealt longest first, each to the part that has the fewest live
// rows so far of those that are not full (Graham 1969: longest processing time first).
//
// Rows of the tape are packed: part 0's live rows of its first step, of its second, ...; then part
// 1's. The tape holds steps from..to, all of time where nothing is recomputed.
#pragma once

#include <span>

#include "impls/api/spec.hpp"
#include "impls/fused/layout.hpp"
#include "impls/schedule/live_rows.hpp"

namespace bptt::fused {

class Parts {
 public:
  struct Bookings {
    schedule::LiveRows::Bookings live;
    schedule::Booking<Index> members, dealt, live_rows, offset, tape_begin, source;
  };
  static Bookings book(schedule::WorkspaceLayout&, const Shape&, Index parts, Index tape_rows);
  Parts(const schedule::Workspace&, const Bookings&, const Shape&, Index parts);

  void assign(std::span<const Index> lengths);

  /// Makes the tape that of steps from..to. `spare`: rows left free behind each part's.
  void hold(Index from, Index to, bool spare);

  Index count() const { return parts_; }
  Index from() const { return from_; }
  Index to() const { return to_; }
  bool dense() const { return live_.dense(); }

  /// Sequences of a part; the first of them, counted over all parts.
  Index sequences(Index part) const { return first(part + 1) - first(part); }
  Index first(Index part) const { return batch_.begin(part); }
  /// Which of the batch row r of a part is.
  Index sequence(Index part, Index row) const { return members_[first(part) + row]; }
  /// Live rows of a part in step t; 0 at the end of time.
  Index rows(Index part, Index t) const {
    return t < T_ ? offset(part, t + 1) - offset(part, t) : 0;
  }
  /// Live rows of a part before step t.
  Index offset(Index part, Index t) const { return offset_[part * (T_ + 1) + t]; }
  /// Where step t of a part begins on the tape.
  Index tape_row(Index part, Index t) const {
    return tape_begin_[part] + offset(part, t) - offset(part, from_);
  }
  /// The same, if all of time were on it.
  Index row_of_all(Index part, Index t) const {
    Index row = offset(part, t);
    for (Index before = 0; before < part; ++before) row += offset(before, T_);
    return row;
  }
  const schedule::LiveRows& live() const { return live_; }
  /// t*B + b of each row of the tape.
  const Index* source() const { return source_; }

 private:
  void deal(std::span<const Index> lengths);

  Index T_, B_, parts_;
  Tiling batch_;
  Index from_ = 0, to_ = 0;
  bool assigned_ = false;   ///< once at least
  bool as_before_ = false;  ///< the last time nothing changed: there are no lengths
  schedule::LiveRows live_;
  Index* members_;     ///< [B] sequences of the first part, longest first, of the second, ...
  Index* dealt_;       ///< [parts] sequences so far
  Index* live_rows_;   ///< [parts] of these, over all steps
  Index* offset_;      ///< [parts][T+1]
  Index* tape_begin_;  ///< [parts]
  Index* source_;
};

}  // namespace bptt::fused
