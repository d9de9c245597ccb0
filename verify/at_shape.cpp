#include "verify/at_shape.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <vector>

#include "verify/inputs.hpp"
#include "verify/subjects.hpp"
#include "verify/tensor_list.hpp"
#include "verify/tolerance.hpp"

namespace bptt::verify {
namespace {

struct StatusRow {
  AtShape::Status status;
  std::string_view name;
};
constexpr StatusRow statuses[] = {{AtShape::Status::full, "full"},
                                  {AtShape::Status::reduced, "reduced"},
                                  {AtShape::Status::failed, "failed"}};

// What naive may take: two seconds at half a GFLOP/s, a slow core's pace in either precision.
constexpr double budget_flops = 1e9;

// What one set of naive's tensors may take; three are alive at a time.
constexpr double budget_bytes = 400e6;

struct Fitted {
  Spec spec;
  Index rows = 3;

  Spec of_rows() const {
    Spec small = spec;
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
    const double pointwise = 100.0 * static_cast<double>(steps * spec.cell.gates() * spec.shape.H);
    constexpr int precisions = 2;
    return precisions * runs() * (3 * forward_flops(spec, steps) + pointwise);
  }
};

/// The largest part of the case that fits the budget.
template <class Wide>
Fitted fit(const Spec& spec) {
  Fitted fitted{spec, std::min<Index>(3, spec.shape.B)};
  Shape& s = fitted.spec.shape;
  const auto too_slow = [&] { return fitted.flops() > budget_flops; };
  const auto too_large = [&] {
    return static_cast<double>(Problem<Wide>::bytes(fitted.of_rows())) > budget_bytes;
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

/// Copies rows of the batch axis of `from` ([T,B,n] or [B,n]) to the whole of `to`, and the values
/// of other tensors.
template <class From, class To>
void copy_rows(const TensorInfo& info, const View<From>& from, const std::vector<Index>& rows,
               const View<To>& to) {
  if (is_parameter(info)) {
    std::copy(from.begin(), from.end(), to.begin());
    return;
  }
  const Extents& extents = from.extents();
  const Index n = extents[extents.rank() - 1], B = extents[extents.rank() - 2];
  const Index steps = extents.size() / (B * n);
  const auto count = static_cast<Index>(rows.size());
  for (Index t = 0; t < steps; ++t) {
    for (Index r = 0; r < count; ++r) {
      const From* row = from.data() + (t * B + rows[static_cast<std::size_t>(r)]) * n;
      std::copy(row, row + n, to.data() + (t * count + r) * n);
    }
  }
}

template <Real T>
class Check {
 public:
  Check(const Backend& backend, const Spec& spec, const Fitted& fitted, const Exec& exec,
        std::uint64_t seed, std::span<const Index> lengths)
      : asked_(spec),
        spec_(fitted.spec),
        lengths_(cut(lengths, spec.shape.T, spec_.shape.T)),
        rows_(sampled_rows(spec_.shape.B, fitted.rows, lengths_)),
        runs_(fitted.runs()),
        seed_(seed),
        plan_(backend.plan<T>(spec_, exec)),
        full_(spec_) {}

  AtShape run() {
    draw();
    poison_results(full_);
    run_both(*plan_, full_);
    compare_sampled();
    check_others();
    if (!(out_.max_error <= 1)) {
      out_.status = AtShape::Status::failed;
    } else if (!(spec_ == asked_)) {
      out_.status = AtShape::Status::reduced;
      out_.note = reduction();
    }
    return out_;
  }

 private:
  bool sampled(Index b) const { return std::find(rows_.begin(), rows_.end(), b) != rows_.end(); }

  void draw() {
    if (spec_.lengths) {
      full_.lengths() = lengths_;
      full_.in.lengths = full_.lengths();
    }
    draw_inputs(seed_, full_, rows_);
    for (const auto& [info, view] : given_tensors(full_)) {
      if (!view || info.base_name.substr(0, 1) != "d") continue;
      const Index n = view.extents()[view.extents().rank() - 1];
      for (Index row = 0; row < view.size() / n; ++row) {
        if (!sampled(row % spec_.shape.B)) std::fill_n(view.data() + row * n, n, T(0));
      }
    }
  }

  /// Naive over the sampled rows as a batch of their own, against those rows of the backend.
  void compare_sampled() {
    Spec small_spec = spec_;
    small_spec.shape.B = static_cast<Index>(rows_.size());
    std::vector<Index> lengths;
    for (const Index row : rows_) {
      if (spec_.lengths) lengths.push_back(lengths_[static_cast<std::size_t>(row)]);
    }
    const auto subject = layer_subject(small_spec, lengths);
    Problem<T> small(small_spec);
    const auto from = given_tensors(full_);
    const auto to = given_tensors(small);
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].view) copy_rows(from[i].info, from[i].view, rows_, to[i].view);
    }
    const auto reference =
        make_reference<T>(*subject, given_of(small), seed_, Rounding::shared, runs_);
    const auto results = present_results(full_);
    const auto of_rows = present_results(small);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const View<T>& got = of_rows[i].view;
      copy_rows(results[i].info, results[i].view, rows_, got);
      const TensorError error =
          compare<T, Wider<T>>(reference.layouts[i], std::span<const T>(got.begin(), got.end()),
                               reference.expected[i], reference.unit[i], required_resolution<T>());
      take(error.worst / error_limit, error.place, error.got, error.expected);
      if (error.nonzero > 0) {
        take(std::numeric_limits<double>::infinity(), error.nonzero_place, error.nonzero_got, 0);
      }
    }
  }

  /// In the order of a layer's result layouts.
  static std::vector<NamedView<T>> present_results(const Problem<T>& p) {
    auto results = result_tensors(p);
    std::erase_if(results, [](const NamedView<T>& result) { return !result.view; });
    return results;
  }

  /// Rows without upstream gradients: gradients exactly zero, everything else finite.
  void check_others() {
    for (const auto& [info, view] : present_results(full_)) {
      if (is_parameter(info)) continue;
      const Index n = view.extents()[view.extents().rank() - 1];
      for (Index e = 0; e < view.size(); ++e) {
        const Index b = e / n % spec_.shape.B;
        if (sampled(b)) continue;
        const bool good = info.is_gradient ? view[e] == T(0) : std::isfinite(view[e]);
        if (good) continue;
        Place place;
        place.tensor = info.name();
        place.index = e;
        if (info.extents.rank() == 3) place.time = e / n / spec_.shape.B;
        place.batch = b;
        place.column = e % n;
        take(std::numeric_limits<double>::infinity(), place, static_cast<double>(view[e]), 0);
        break;
      }
    }
  }

  void take(double error, const Place& place, double got, double expected) {
    if (error <= out_.max_error) return;
    out_.max_error = error;
    char values[96];
    std::snprintf(values, sizeof values, ": got %.9g, expected %.9g", got, expected);
    if (error > 1) out_.note = to_string(place) + values;
  }

  std::string reduction() const {
    const auto part = [](const char* name, Index now, Index asked) {
      return now == asked ? std::string()
                          : std::string(name) + "=" + std::to_string(now) + " of " +
                                std::to_string(asked) + " ";
    };
    std::string text = "verified at " + part("T", spec_.shape.T, asked_.shape.T) +
                       part("H", spec_.shape.H, asked_.shape.H) +
                       part("I", spec_.shape.I, asked_.shape.I);
    text.pop_back();
    return text;
  }

  Spec asked_, spec_;
  std::vector<Index> lengths_;
  std::vector<Index> rows_;
  int runs_;
  std::uint64_t seed_;
  std::unique_ptr<Plan<T>> plan_;
  Problem<T> full_;
  AtShape out_;
};

}  // namespace

std::string_view name_of(AtShape::Status status) {
  return std::find_if(std::begin(statuses), std::end(statuses),
                      [status](const StatusRow& row) { return row.status == status; })
      ->name;
}

AtShape check_at_shape(const Backend& backend, const Spec& spec, Dtype dtype, const Exec& exec,
                       std::uint64_t seed, std::span<const Index> lengths) {
  check_lengths({.cell = spec.cell, .shape = spec.shape, .lengths = spec.lengths}, lengths,
                "lengths to verify with");
  return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    return Check<T>(backend, spec, fit<Wider<T>>(spec), exec, seed, lengths).run();
  });
}

}  // namespace bptt::verify
