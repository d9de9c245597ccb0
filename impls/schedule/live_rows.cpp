#include "impls/schedule/live_rows.hpp"

#include <algorithm>
#include <utility>

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
  const auto length = [&](Index row) {
    return lengths.empty() ? T_ : lengths[static_cast<std::size_t>(first_ + row)];
  };
  // A counting sort, stable, so that equal lengths keep their order: offset_[n] becomes the number
  // of sequences longer than n, which is both where those of length n begin and step n's live rows.
  std::fill_n(offset_, T_ + 1, Index{0});
  for (Index row = 0; row < rows_; ++row) ++offset_[length(row)];
  Index longer = 0;
  for (Index n = T_; n >= 0; --n) longer += std::exchange(offset_[n], longer);
  for (Index t = 0; t < T_; ++t) count_[t] = offset_[t];
  for (Index row = 0; row < rows_; ++row) order_[offset_[length(row)]++] = first_ + row;

  offset_[0] = 0;
  for (Index t = 0; t < T_; ++t) offset_[t + 1] = offset_[t] + count_[t];
  dense_ = total() == T_ * rows_;
}

}  // namespace bptt::schedule
