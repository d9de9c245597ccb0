#include "impls/fused/parts.hpp"

namespace bptt::fused {

Parts::Bookings Parts::book(schedule::WorkspaceLayout& layout, const Shape& shape, Index parts,
                            Index tape_rows) {
  return {schedule::LiveRows::book(layout, shape.T, shape.B),
          layout.book<Index>(checked_product({parts, shape.T + 1}, "workspace")),
          layout.book<Index>(parts), layout.book<Index>(tape_rows)};
}

Parts::Parts(const schedule::Workspace& workspace, const Bookings& b, const Shape& shape,
             Index parts)
    : T_(shape.T),
      B_(shape.B),
      parts_(parts),
      batch_(Tiling::in_runs(shape.B, parts)),
      rounds_(shape.B / parts),
      live_(workspace, b.live, shape.T, 0, shape.B),
      offset_(workspace.at(b.offset)),
      tape_begin_(workspace.at(b.tape_begin)),
      source_(workspace.at(b.source)) {}

void Parts::assign(std::span<const Index> lengths) {
  // Writing the same again would take every line of it away from the other threads.
  as_before_ = assigned_ && lengths.empty();
  if (as_before_) return;
  assigned_ = true;
  live_.assign(lengths);
  for (Index part = 0; part < parts_; ++part) {
    Index* const offset = offset_ + part * (T_ + 1);
    offset[0] = 0;
    for (Index t = 0; t < T_; ++t) {
      const Index live = live_.count(t), round = live / parts_;
      const bool one_more = place(part, round) < live - round * parts_;
      offset[t + 1] = offset[t] + (dense() ? sequences(part) : round + (one_more ? 1 : 0));
    }
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
