#include "verify/tolerance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "impls/naive/naive.hpp"
#include "impls/net/random.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

/// Half a unit in the last place, relative: the largest error of one rounding.
template <class T>
constexpr double unit_roundoff = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;

/// A neighbour of the inputs: each moved by up to one unit of T in its last place.
template <Real T>
void move_slightly(const Problem<double>& p, net::Random& random) {
  constexpr double step = 2 * unit_roundoff<T>;
  for (const auto& [info, view] : given_tensors(p)) {
    for (double& value : view) value *= 1 + step * random.uniform(-1, 1);
  }
}

/// Adds the squared differences of two precisions' results to those of `squares`.
template <Real T>
void add_squared_errors(const Problem<T>& narrow, const Problem<Wider<T>>& wide,
                        const Problem<double>& squares) {
  const auto n = result_tensors(narrow);
  const auto w = result_tensors(wide);
  const auto sum = result_tensors(squares);
  for (std::size_t i = 0; i < n.size(); ++i) {
    for (Index e = 0; e < n[i].view.size(); ++e) {
      const auto error = static_cast<double>(n[i].view[e] - w[i].view[e]);
      sum[i].view[e] += error * error;
    }
  }
}

/// Turns the squared errors of one tensor, summed over `runs` problems, into units, in place.
template <Real T>
class ToUnits {
 public:
  ToUnits(const Reference<T>& ref, const TensorInfo& info, const View<double>& unit,
          const View<Wider<T>>& expected, int runs)
      : ref_(ref), info_(info), unit_(unit), expected_(expected), runs_(runs) {}

  void convert(const Slice& slice) {
    const int rank = info_.extents.rank();
    begin_ = slice.begin;
    columns_ = rank > 1 ? info_.extents[rank - 1] : slice.end - slice.begin;
    const Index rows = (slice.end - slice.begin) / columns_;
    std::vector<Mean> row_mean(static_cast<std::size_t>(rows));
    std::vector<Mean> column_mean(static_cast<std::size_t>(columns_));
    Mean mean, signal;
    for_each_live(slice, [&](Index e, std::size_t row, std::size_t column) {
      row_mean[row].add(unit_[e] / runs_);
      column_mean[column].add(unit_[e] / runs_);
      mean.add(unit_[e] / runs_);
      const auto value = static_cast<double>(expected_[e]);
      signal.add(value * value);
    });
    if (mean.count == 0) return;
    const double floor = unit_roundoff<T> * std::sqrt(signal());
    for_each_live(slice, [&](Index e, std::size_t row, std::size_t column) {
      // As in an outer product, noisy rows meet noisy columns.
      const double product = mean() > 0 ? row_mean[row]() / mean() * column_mean[column]() : 0;
      const double measured = std::sqrt((unit_[e] + product + mean()) / (runs_ + 2));
      const double value = std::abs(static_cast<double>(expected_[e]));
      unit_[e] = std::max({measured, unit_roundoff<T> * value, floor});
    });
  }

 private:
  struct Mean {
    double sum = 0;
    Index count = 0;
    void add(double value) {
      sum += value;
      ++count;
    }
    double operator()() const { return sum / static_cast<double>(count); }
  };

  template <class Visit>
  void for_each_live(const Slice& slice, Visit visit) const {
    for (Index e = slice.begin; e < slice.end; ++e) {
      if (is_padding(ref_.given.spec(), ref_.given.lengths(), info_, e)) continue;
      visit(e, static_cast<std::size_t>((e - begin_) / columns_),
            static_cast<std::size_t>((e - begin_) % columns_));
    }
  }

  const Reference<T>& ref_;
  const TensorInfo& info_;
  const View<double>& unit_;
  const View<Wider<T>>& expected_;
  int runs_;
  Index begin_ = 0, columns_ = 1;
};

template <Real T>
void squares_to_units(const Reference<T>& ref, int runs) {
  const auto units = result_tensors(ref.unit);
  const auto expected = result_tensors(ref.expected);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto& [info, unit] = units[i];
    if (!unit) continue;
    ToUnits<T> to_units(ref, info, unit, expected[i].view, runs);
    for (const Slice& slice : slices_of(ref.given.spec(), info)) to_units.convert(slice);
  }
}

/// The gate of each block of a parameter's rows.
std::vector<Index> gates_of(const Spec& spec, const TensorInfo& info) {
  if (info.base_name.starts_with("weight_peephole")) return {0, 1, 3};
  std::vector<Index> gates(static_cast<std::size_t>(spec.cell.gates()));
  std::iota(gates.begin(), gates.end(), 0);
  return gates;
}

bool is_parameter(const TensorInfo& info) {
  return info.base_name.starts_with("weight") || info.base_name.starts_with("bias");
}

}  // namespace

std::vector<Slice> slices_of(const Spec& spec, const TensorInfo& info) {
  const Extents& extents = info.extents;
  if (extents.rank() == 0) return {};
  if (!is_parameter(info) && extents.rank() < 3) return {{0, extents.size(), -1, -1}};
  const bool over_time = extents.rank() == 3;
  const auto gates = over_time ? std::vector<Index>() : gates_of(spec, info);
  const Index count = over_time ? extents[0] : static_cast<Index>(gates.size());
  const Index size = extents.size() / count;
  std::vector<Slice> slices;
  for (Index i = 0; i < count; ++i) {
    slices.push_back({i * size, (i + 1) * size, over_time ? i : -1,
                      over_time ? -1 : gates[static_cast<std::size_t>(i)]});
  }
  return slices;
}

Place place_of(const Spec& spec, const TensorInfo& info, Index index) {
  Place place;
  place.tensor = info.name();
  place.index = index;
  const Extents& extents = info.extents;
  if (is_parameter(info)) {
    const Index H = spec.shape.H;
    const bool peephole = info.base_name.starts_with("weight_peephole");
    const Index columns = extents.rank() == 2 && !peephole ? extents[1] : 1;
    const Index row = index / columns;
    place.gate = spec.cell.gate_name(gates_of(spec, info)[static_cast<std::size_t>(row / H)]);
    place.row = row % H;
    if (extents.rank() == 2 && !peephole) place.column = index % columns;
    return place;
  }
  const Index columns = extents[extents.rank() - 1];
  place.column = index % columns;
  place.batch = index / columns % spec.shape.B;
  if (extents.rank() == 3) place.time = index / columns / spec.shape.B;
  return place;
}

std::string to_string(const Place& place) {
  std::string text = place.tensor;
  if (place.time >= 0) text += " t=" + std::to_string(place.time);
  if (place.batch >= 0) text += " batch " + std::to_string(place.batch);
  if (!place.gate.empty()) text += " gate " + place.gate;
  if (place.row >= 0) text += " row " + std::to_string(place.row);
  if (place.column >= 0) text += " column " + std::to_string(place.column);
  return text;
}

bool is_padding(const Spec& spec, const std::vector<Index>& lengths, const TensorInfo& info,
                Index index) {
  if (!spec.lengths || info.extents.rank() != 3) return false;
  const Index row = index / info.extents[2];
  return row / spec.shape.B >= lengths[static_cast<std::size_t>(row % spec.shape.B)];
}

int neighbours_for(const Spec& spec) {
  const auto& s = spec.shape;
  // The smallest slice: one step of y or x, or one gate block of a bias.
  const Index smallest = std::min({s.B * s.H, s.B * s.I, s.H});
  constexpr Index wanted = 64;  // squared errors in a slice's mean
  return static_cast<int>(std::clamp<Index>((wanted + smallest - 1) / smallest, 2, 12));
}

template <Real T>
std::unique_ptr<Reference<T>> make_reference(const Problem<double>& source, std::uint64_t seed,
                                             Rounding rounding, int runs) {
  const Spec& spec = source.spec();
  auto ref = std::make_unique<Reference<T>>(spec);
  copy_given(source, ref->given);
  const auto narrow_plan = naive::make_plan<T>(spec);
  const auto wide_plan = naive::make_plan<Wider<T>>(spec);
  net::Random random(seed, 0x6e6f697365u);

  Problem<T> narrow(spec);
  // `unit` holds the inputs of a run; its results collect squares over all runs.
  const auto run = [&](const Problem<Wider<T>>& wide) {
    run_both(*narrow_plan, narrow);
    run_both(*wide_plan, wide);
    add_squared_errors(narrow, wide, ref->unit);
  };
  const auto fill = [&](Problem<Wider<T>>& wide) {
    copy_given(ref->unit, narrow);
    if (rounding == Rounding::shared) {
      copy_given(narrow, wide);
    } else {
      copy_given(ref->unit, wide);
    }
  };
  copy_given(source, ref->unit);
  fill(ref->expected);
  run(ref->expected);
  if (runs > 1) {
    Problem<Wider<T>> wide(spec);
    for (int neighbour = 1; neighbour < runs; ++neighbour) {
      copy_given(source, ref->unit);
      move_slightly<T>(ref->unit, random);
      fill(wide);
      run(wide);
    }
  }
  squares_to_units(*ref, runs);
  return ref;
}

template <Real T>
std::unique_ptr<Reference<T>> make_reference(const Problem<double>& source, std::uint64_t seed,
                                             Rounding rounding) {
  return make_reference<T>(source, seed, rounding, neighbours_for(source.spec()));
}

template <class Got, class Expected>
TensorError compare(const Spec& spec, const std::vector<Index>& lengths, const TensorInfo& info,
                    const View<Got>& got, const View<const Expected>& expected,
                    const View<double>& unit, double resolution) {
  TensorError result;
  result.info = info;
  result.place.tensor = info.name();
  const auto judge = [&](Index e, Index time) {
    const double error = std::abs(static_cast<double>(static_cast<Expected>(got[e]) - expected[e]));
    double units = error == 0 ? 0 : error / unit[e];
    if (!std::isfinite(units)) units = std::numeric_limits<double>::infinity();
    if (units > error_limit) {
      ++result.wrong;
      if (result.first_wrong_time < 0) result.first_wrong_time = time;
      result.last_wrong_time = time;
    }
    if (result.place.index >= 0 && units <= result.worst) return;
    result.worst = units;
    result.place = place_of(spec, info, e);
    result.got = static_cast<double>(got[e]);
    result.expected = static_cast<double>(expected[e]);
    result.unit = unit[e];
  };
  for (const Slice& slice : slices_of(spec, info)) {
    double noise = 0, signal = 0;
    Index live = 0;
    for (Index e = slice.begin; e < slice.end; ++e) {
      if (is_padding(spec, lengths, info, e)) {
        if (got[e] == Got(0)) continue;
        if (result.nonzero_padding++ == 0) {
          result.padding_place = place_of(spec, info, e);
          result.padding_got = static_cast<double>(got[e]);
        }
        continue;
      }
      ++live;
      judge(e, slice.time);
      noise += unit[e] * unit[e];
      signal += static_cast<double>(expected[e]) * static_cast<double>(expected[e]);
    }
    if (live == 0) continue;
    result.elements += live;
    ++result.slices;
    // A gate that an option has taken away: zero is what is asked for, and any other value fails.
    if (slice.gate >= 0 && !spec.cell.uses_gate(slice.gate) && signal == 0 && noise == 0) continue;
    // Written so that a signal of zero, or one that is not a number, counts as not checked.
    if (!(error_limit * std::sqrt(noise) < resolution * std::sqrt(signal))) {
      ++result.inconclusive_slices;
    }
  }
  return result;
}

template <class T>
double required_resolution() {
  return std::cbrt(unit_roundoff<T>);
}

template double required_resolution<float>();
template double required_resolution<double>();

#define BPTT_INSTANTIATE(GOT, EXPECTED)                                                            \
  template TensorError compare(const Spec&, const std::vector<Index>&, const TensorInfo&,          \
                               const View<GOT>&, const View<const EXPECTED>&, const View<double>&, \
                               double)
BPTT_INSTANTIATE(float, double);
BPTT_INSTANTIATE(double, double);
BPTT_INSTANTIATE(double, long double);
#undef BPTT_INSTANTIATE

#define BPTT_INSTANTIATE(T)                                                                       \
  template std::unique_ptr<Reference<T>> make_reference<T>(const Problem<double>&, std::uint64_t, \
                                                           Rounding, int);                        \
  template std::unique_ptr<Reference<T>> make_reference<T>(const Problem<double>&, std::uint64_t, \
                                                           Rounding)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify
