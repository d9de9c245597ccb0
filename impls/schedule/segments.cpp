#include "impls/schedule/segments.hpp"

#include <algorithm>
#include <initializer_list>

namespace bptt::schedule {
namespace {

constexpr Index chunk_bytes = Index{512} << 10;
constexpr Index chunk_rows = 512;

/// The smallest k with k*k >= n.
Index ceil_sqrt(Index n) {
  Index k = 1;
  while (k < n / k + (n % k != 0 ? 1 : 0)) ++k;
  return k;
}

}  // namespace

Index rows_per_chunk(const Spec& spec, Index element_bytes) {
  // Of the wider of the GEMM's two sides: pre-activations and inputs.
  const auto bytes = [&](std::initializer_list<Index> extents) {
    return checked_product({checked_product(extents, "workspace"), element_bytes}, "workspace");
  };
  const Index row_bytes = std::max(bytes({spec.cell.gates(), spec.shape.H}), bytes({spec.shape.I}));
  return std::max(chunk_rows, chunk_bytes / row_bytes);
}

Segments::Sizes Segments::sizes(const Spec& spec, Recompute recompute, Index rows,
                                Index element_bytes) {
  const Index steps = spec.shape.T, all = checked_product({steps, rows}, "workspace");
  switch (recompute) {
    case Recompute::none:
      return {steps, all, all, 0};
    case Recompute::gates: {
      const Index chunk = std::min(all, std::max(rows, rows_per_chunk(spec, element_bytes)));
      return {steps, chunk, all, 0};
    }
    case Recompute::checkpoint: {
      const Index k = ceil_sqrt(steps), most = checked_product({k, rows}, "workspace");
      return {k, most, most, steps / k + (steps % k != 0 ? 1 : 0)};
    }
  }
  return {};
}

void Segments::assign(const LiveRows& live) {
  count_ = 0;
  begin_[0] = 0;
  for (Index from = 0; from < live.steps();) {
    Index to = from + 1;
    while (to < live.steps() && to - from < sizes_.steps &&
           live.offset(to + 1) - live.offset(from) <= sizes_.tape_rows) {
      ++to;
    }
    begin_[++count_] = to;
    from = to;
  }
}

}  // namespace bptt::schedule
