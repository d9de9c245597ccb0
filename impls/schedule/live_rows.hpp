// Which rows of the batch are alive at which step: packing without padding.
//
// The sequences of a block are sorted by length, longest first, so that the live ones of each step
// are the first count(t). Packed arrays hold step 0's live rows, then step 1's, and so on; row r of
// a step is sequence order(r) of the batch. (PyTorch's PackedSequence is the same idea.)
#pragma once

#include <span>

#include "impls/schedule/workspace.hpp"

namespace bptt::schedule {

class LiveRows {
 public:
  struct Bookings {
    Booking<Index> order, count, offset;
  };
  static Bookings book(WorkspaceLayout& layout, Index T, Index rows);

  /// For sequences first..first+rows of the batch.
  LiveRows(const Workspace&, const Bookings&, Index T, Index first, Index rows);

  /// Sorts anew. `lengths` is the batch's, or empty where every sequence has T steps.
  void assign(std::span<const Index> lengths);

  Index steps() const { return T_; }
  Index rows() const { return rows_; }
  Index order(Index row) const { return order_[row]; }
  Index count(Index t) const { return t < T_ ? count_[t] : 0; }
  Index offset(Index t) const { return offset_[t]; }  ///< t = T: the number of packed rows
  Index total() const { return offset_[T_]; }
  /// order(r) = first + r and every row lives to the end.
  bool dense() const { return dense_; }

 private:
  Index T_, first_, rows_;
  Index* order_;
  Index* count_;
  Index* offset_;
  bool dense_ = true;
};

}  // namespace bptt::schedule
