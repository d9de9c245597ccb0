#include "verify/shape_part.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "impls/net/stack_problem.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {
namespace {

// What naive may take: two seconds at half a GFLOP/s, a slow core's pace in either precision.
constexpr double budget_flops = 1e9;

// What one set of naive's tensors may take; three are alive at a time.
constexpr double budget_bytes = 400e6;

struct Fitted {
  StackSpec spec;
  Index rows = 3;

  StackSpec of_rows() const {
    StackSpec small = spec;
    small.shape.B = rows;
    return small;
  }
  /// Slices of a large shape hold errors enough for one problem to measure the unit.
  int runs() const {
    constexpr Index large = 64;
    const Shape& s = spec.shape;
    const Index smallest = std::min({s.H, s.I * rows, s.H * rows});
    return smallest >= large ? 1 : runs_for(smallest);
  }
  /// What naive computes for a reference over the rows.
  double flops() const {
    const Index steps = spec.shape.T * rows;
    // Pointwise work counts nothing in FLOPs, but std::exp and std::tanh take their time.
    const double pointwise =
        100.0 * static_cast<double>(steps * spec.cell.gates() * spec.shape.H * spec.states());
    constexpr int precisions = 2;
    return precisions * runs() * (3 * forward_flops(spec, steps) + pointwise);
  }
};

template <class Wide>
Fitted fit(const StackSpec& spec) {
  Fitted fitted{spec, std::min<Index>(3, spec.shape.B)};
  Shape& s = fitted.spec.shape;
  const auto too_slow = [&] { return fitted.flops() > budget_flops; };
  const auto too_large = [&] {
    return static_cast<double>(net::StackProblem<Wide>::bytes(fitted.of_rows())) > budget_bytes;
  };
  // Two steps are the least that shows a recurrence going wrong, a few more are better.
  constexpr Index few_steps = 4, least_steps = 2, least_hidden = 64;
  while (too_slow() && s.T > few_steps) s.T = std::max(few_steps, s.T * 7 / 8);
  while (too_slow() && fitted.rows > 1) --fitted.rows;
  while (too_slow() && s.T > least_steps) --s.T;
  while ((too_slow() || too_large()) && s.H > least_hidden) {
    s.H = s.H * 3 / 4;
    s.I = std::max<Index>(1, s.I * 3 / 4);
  }
  return fitted;
}

/// First, last and middle row of the batch, or of its rows from the longest to the shortest.
std::vector<Index> sampled_rows(Index B, Index rows, std::span<const Index> lengths) {
  std::vector<Index> order(static_cast<std::size_t>(B));
  std::iota(order.begin(), order.end(), Index{0});
  if (!lengths.empty()) {
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
      return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
    });
  }
  const auto at = [&](Index place) { return order[static_cast<std::size_t>(place)]; };
  // Rows without lengths are all alike; the one with most steps says most.
  if (rows == 1) return {lengths.empty() ? B / 2 : at(0)};
  if (rows == 2) return {at(0), at(B - 1)};
  return {at(0), at(B / 2), at(B - 1)};
}

/// Lengths of a sequence of T steps in one of `steps`: the longest stay the longest, and none of
/// the others becomes 0.
std::vector<Index> cut(std::span<const Index> lengths, Index T, Index steps) {
  std::vector<Index> cut;
  for (const Index length : lengths) {
    const double share = static_cast<double>(length) / static_cast<double>(T);
    cut.push_back(static_cast<Index>(std::ceil(share * static_cast<double>(steps))));
  }
  return cut;
}

}  // namespace

bool ShapePart::has_row(Index b) const {
  return std::find(rows.begin(), rows.end(), b) != rows.end();
}

StackSpec ShapePart::spec_of_rows() const {
  StackSpec small = spec;
  small.shape.B = static_cast<Index>(rows.size());
  return small;
}

std::vector<Index> ShapePart::lengths_of_rows() const {
  std::vector<Index> of_rows;
  for (const Index row : rows) {
    if (spec.lengths) of_rows.push_back(lengths[static_cast<std::size_t>(row)]);
  }
  return of_rows;
}

std::string ShapePart::reduction() const {
  const auto part = [](const char* name, Index now, Index then) {
    return now == then ? std::string()
                       : " " + std::string(name) + "=" + std::to_string(now) + " of " +
                             std::to_string(then);
  };
  return "verified at" + part("T", spec.shape.T, asked.shape.T) +
         part("H", spec.shape.H, asked.shape.H) + part("I", spec.shape.I, asked.shape.I);
}

ShapePart part_of(const StackSpec& spec, Dtype dtype, std::span<const Index> lengths) {
  check_lengths(spec, lengths, "lengths to verify with");
  const Fitted fitted =
      dispatch(dtype, [&]<class T>(std::type_identity<T>) { return fit<Wider<T>>(spec); });
  ShapePart part;
  part.asked = spec;
  part.spec = fitted.spec;
  part.lengths = cut(lengths, spec.shape.T, part.spec.shape.T);
  part.rows = sampled_rows(spec.shape.B, fitted.rows, part.lengths);
  part.runs = fitted.runs();
  return part;
}

}  // namespace bptt::verify
