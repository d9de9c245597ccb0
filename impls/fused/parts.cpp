#include "impls/fused/parts.hpp"

#include <algorithm>
#include <numeric>

namespace bptt::fused {

Parts::Bookings Parts::book(schedule::WorkspaceLayout& layout, const Shape& shape, Index parts,
                            Index tape_rows) {
  return {schedule::LiveRows::book(layout, shape.T, shape.B),
          layout.book<Index>(shape.B),
          layout.book<Index>(parts),
          layout.book<Index>(parts),
          layout.book<Index>(checked_product({parts, shape.T + 1}, "workspace")),
          layout.book<Index>(parts),
          layout.book<Index>(tape_rows)};
}

Parts::Parts(const schedule::Workspace& workspace, const Bookings& b, const Shape& shape,
             Index parts)
    : T_(shape.T),
      B_(shape.B),
      parts_(parts),
      batch_(Tiling::in_runs(shape.B, parts)),
      live_(workspace, b.live, shape.T, 0, shape.B),
      members_(workspace.at(b.members)),
      dealt_(workspace.at(b.dealt)),
      live_rows_(workspace.at(b.live_rows)),
      offset_(workspace.at(b.offset)),
      tape_begin_(workspace.at(b.tape_begin)),
      source_(workspace.at(b.source)) {}

void Parts::assign(std::span<const Index> lengths) {
  // Writing the same again would take every line of it away from the other threads.
  as_before_ = assigned_ && lengths.empty();
  if (as_before_) return;
  assigned_ = true;
  live_.assign(lengths);
  const auto length = [&](Index b) {
    return lengths.empty() ? T_ : lengths[static_cast<std::size_t>(b)];
  };
  dense() ? std::iota(members_, members_ + B_, Index{0}) : deal(lengths);
  for (Index part = 0; part < parts_; ++part) {
    Index* const offset = offset_ + part * (T_ + 1);
    Index living = sequences(part);
    offset[0] = 0;
    for (Index t = 0; t < T_; ++t) {
      while (living > 0 && length(sequence(part, living - 1)) <= t) --living;
      offset[t + 1] = offset[t] + living;
    }
  }
}

void Parts::deal(std::span<const Index> lengths) {
  std::fill_n(dealt_, parts_, Index{0});
  std::fill_n(live_rows_, parts_, Index{0});
  for (Index i = 0; i < B_; ++i) {
    const Index b = live_.order(i);
    Index to = -1;
    for (Index part = 0; part < parts_; ++part) {
      const bool is_full = dealt_[part] == sequences(part);
      if (!is_full && (to < 0 || live_rows_[part] < live_rows_[to])) to = part;
    }
    members_[first(to) + dealt_[to]++] = b;
    live_rows_[to] += lengths[static_cast<std::size_t>(b)];
  }
}

void Parts::hold(Index from, Index to, bool spare) {
  if (as_before_ && from == from_ && to == to_) return;
  from_ = from;
  to_ = to;
  Index begin = 0;
  for (Index part = 0; part < parts_; ++part) {
    tape_begin_[part] = begin;
    Index* source = source_ + begin;
    for (Index t = from; t < to; ++t) {
      for (Index row = 0; row < rows(part, t); ++row) *source++ = t * B_ + sequence(part, row);
    }
    begin = source - source_;
    if (spare) begin += sequences(part);
  }
}

}  // namespace bptt::fused
