#include "impls/schedule/live_rows.hpp"

#include <algorithm>

namespace bptt::schedule {

LiveRows::Bookings LiveRows::book(WorkspaceLayout& layout, Index T, Index rows) {
  return {layout.book<Index>(rows), layout.book<Index>(T), layout.book<Index>(T + 1)};
}

LiveRows::LiveRows(const Workspace& workspace, const Bookings& bookings, Index T, Index first,
                   Index rows)
    : T_(T),
      first_(first),
      rows_(rows),
      order_(workspace.at(bookings.order)),
      count_(workspace.at(bookings.count)),
      offset_(workspace.at(bookings.offset)) {
  assign({});
}

void LiveRows::assign(std::span<const Index> lengths) {
  for (Index row = 0; row < rows_; ++row) order_[row] = first_ + row;
  const auto length = [&](Index sequence) {
    return lengths.empty() ? T_ : lengths[static_cast<std::size_t>(sequence)];
  };
  // Insertion sort: stable, so that equal lengths keep their order, and it allocates nothing.
  for (Index row = 1; row < rows_; ++row) {
    for (Index r = row; r > 0 && length(order_[r - 1]) < length(order_[r]); --r) {
      std::swap(order_[r - 1], order_[r]);
    }
  }
  offset_[0] = 0;
  Index live = rows_;
  for (Index t = 0; t < T_; ++t) {
    while (live > 0 && length(order_[live - 1]) <= t) --live;
    count_[t] = live;
    offset_[t + 1] = offset_[t] + live;
  }
  dense_ = total() == T_ * rows_;
}

}  // namespace bptt::schedule
