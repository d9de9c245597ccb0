#include "verify/tolerance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "impls/net/random.hpp"
#include "verify/kink_sides.hpp"

namespace bptt::verify {
namespace {

/// Half a unit in the last place, relative: the largest error of one rounding.
template <class T>
constexpr double unit_roundoff = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;

/// A neighbour of the inputs: each moved by up to one unit of T in its last place.
template <Real T>
void move_slightly(Given& given, net::Random& random) {
  constexpr double step = 2 * unit_roundoff<T>;
  for (auto& values : given.values) {
    for (double& value : values) value *= 1 + step * random.uniform(-1, 1);
  }
}

template <Real T>
void round_to(Given& given) {
  for (auto& values : given.values) {
    for (double& value : values) value = static_cast<double>(static_cast<T>(value));
  }
}

/// Turns the squared errors of one tensor, summed over `runs` runs, into units, in place.
template <Real T>
class ToUnits {
 public:
  ToUnits(const Layout& layout, std::vector<double>& unit, const std::vector<Wider<T>>& expected,
          int runs)
      : layout_(layout), unit_(unit), expected_(expected), runs_(runs) {}

  void convert(const Slice& slice) {
    const int rank = layout_.extents.rank();
    begin_ = slice.begin;
    columns_ = rank > 1 ? layout_.extents[rank - 1] : slice.end - slice.begin;
    const Index rows = (slice.end - slice.begin) / columns_;
    std::vector<Mean> row_mean(static_cast<std::size_t>(rows));
    std::vector<Mean> column_mean(static_cast<std::size_t>(columns_));
    Mean mean, signal;
    for_each_live(slice, [&](std::size_t e, std::size_t row, std::size_t column) {
      row_mean[row].add(unit_[e] / runs_);
      column_mean[column].add(unit_[e] / runs_);
      mean.add(unit_[e] / runs_);
      const auto value = static_cast<double>(expected_[e]);
      signal.add(value * value);
    });
    if (mean.count == 0) return;
    const double floor = unit_roundoff<T> * std::sqrt(signal());
    for_each_live(slice, [&](std::size_t e, std::size_t row, std::size_t column) {
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
      if (must_be_zero(layout_, e)) continue;
      visit(static_cast<std::size_t>(e), static_cast<std::size_t>((e - begin_) / columns_),
            static_cast<std::size_t>((e - begin_) % columns_));
    }
  }

  const Layout& layout_;
  std::vector<double>& unit_;
  const std::vector<Wider<T>>& expected_;
  int runs_;
  Index begin_ = 0, columns_ = 1;
};

/// A single number (a loss) has no company to steady it, whatever the number of runs.
Index smallest_slice(const std::vector<Layout>& layouts) {
  Index smallest = std::numeric_limits<Index>::max();
  for (const Layout& layout : layouts) {
    if (layout.extents.rank() > 1) smallest = std::min(smallest, layout.block_size());
    if (layout.outer == net::OuterAxis::gates) smallest = std::min(smallest, layout.block_size());
  }
  return smallest;
}

}  // namespace

int runs_for(Index smallest_slice) {
  constexpr Index wanted = 64;  // squared errors in a slice's mean
  return static_cast<int>(std::clamp<Index>((wanted + smallest_slice - 1) / smallest_slice, 2, 12));
}

std::optional<naive::Variation> variation_of(int run, std::uint64_t seed) {
  using Sums = naive::Variation::Sums;
  if (run == 0) return std::nullopt;
  return std::optional<naive::Variation>(std::in_place, seed + static_cast<std::uint64_t>(run),
                                         run % 2 == 1 ? Sums::reversed : Sums::as_they_come);
}

template <Real T>
void ErrorUnits<T>::add(const Values<T>& narrow, const Values<Wider<T>>& wide) {
  ++runs_;
  for (std::size_t i = 0; i < narrow.size(); ++i) {
    squares_[i].resize(narrow[i].size());
    for (std::size_t e = 0; e < narrow[i].size(); ++e) {
      const auto error = static_cast<double>(narrow[i][e] - wide[i][e]);
      squares_[i][e] += error * error;
    }
  }
}

template <Real T>
Values<double> ErrorUnits<T>::of(const Values<Wider<T>>& expected) && {
  for (std::size_t i = 0; i < layouts_.size(); ++i) {
    ToUnits<T> to_units(layouts_[i], squares_[i], expected[i], runs_);
    for (const Slice& slice : slices_of(layouts_[i])) to_units.convert(slice);
  }
  return std::move(squares_);
}

template <Real T>
Reference<T> make_reference(const Subject& subject, const Given& given, std::uint64_t seed,
                            Rounding rounding, int runs) {
  if constexpr (std::numeric_limits<Wider<T>>::digits <= std::numeric_limits<T>::digits) {
    throw Error(ErrorKind::unavailable,
                "f64 is judged in long double, which is no wider than f64 on this platform");
  }
  const auto narrow = subject.make<T>(naive_plans<T>());
  const auto wide = subject.make<Wider<T>>(naive_plans<Wider<T>>());
  net::Random random(seed, 0x6e6f697365u);

  Reference<T> ref;
  ref.given = given;
  round_to<T>(ref.given);
  ref.layouts = result_layouts(*wide, subject.cell());
  if (runs == 0) runs = runs_for(smallest_slice(ref.layouts));
  ErrorUnits<T> units(ref.layouts);
  Given moved = given;
  std::vector<Given> narrow_given, wide_given;
  for (int i = 0; i < runs; ++i) {
    if (i > 0) {
      moved = given;
      move_slightly<T>(moved, random);
    }
    if (rounding == Rounding::shared) round_to<T>(moved);
    if (subject.cell().has_kink()) {
      wide_given.push_back(moved);
      narrow_given.push_back(moved);
      round_to<T>(narrow_given.back());
    }
    auto expected = run(*wide, moved);
    const auto variation = variation_of(i, seed);
    units.add(run(*narrow, moved), expected);
    if (i == 0) ref.expected = std::move(expected);
  }
  ref.unit = std::move(units).of(ref.expected);
  if (subject.cell().has_kink()) {
    ref.kinks = find_kinks<T>(subject, std::move(narrow_given), std::move(wide_given));
  }
  return ref;
}

template <Real T>
Reference<T> make_reference(const Subject& subject, const Given& given, std::uint64_t seed,
                            Rounding rounding) {
  return make_reference<T>(subject, given, seed, rounding, 0);
}

template <class Got, class Expected>
TensorError compare(const Layout& layout, std::span<const Got> got,
                    std::span<const Expected> expected, std::span<const double> unit,
                    double resolution) {
  TensorError result;
  result.layout = &layout;
  result.place.tensor = layout.name;
  const bool is_gradient = layout.name.starts_with("grad.");
  const auto judge = [&](Index index, Index time) {
    const auto e = static_cast<std::size_t>(index);
    const double error = std::abs(static_cast<double>(static_cast<Expected>(got[e]) - expected[e]));
    double units = error == 0 ? 0 : error / unit[e];
    if (!std::isfinite(units)) units = std::numeric_limits<double>::infinity();
    if (units > error_limit) {
      ++result.wrong;
      if (result.first_wrong_time < 0) result.first_wrong_time = time;
      const bool computed_before = is_gradient && time > result.last_wrong_time;
      result.last_wrong_time = time;
      if (result.wrong == 1 || computed_before) {
        result.first_place = place_of(layout, index);
        result.first_got = static_cast<double>(got[e]);
        result.first_expected = static_cast<double>(expected[e]);
      }
    }
    if (result.place.index >= 0 && units <= result.worst) return;
    result.worst = units;
    result.place = place_of(layout, index);
    result.got = static_cast<double>(got[e]);
    result.expected = static_cast<double>(expected[e]);
    result.unit = unit[e];
  };
  for (const Slice& slice : slices_of(layout)) {
    double noise = 0, signal = 0;
    Index live = 0;
    for (Index index = slice.begin; index < slice.end; ++index) {
      const auto e = static_cast<std::size_t>(index);
      if (must_be_zero(layout, index)) {
        if (got[e] == Got(0)) continue;
        if (result.nonzero++ == 0) {
          result.nonzero_place = place_of(layout, index);
          result.nonzero_got = static_cast<double>(got[e]);
        }
        continue;
      }
      ++live;
      judge(index, slice.time);
      noise += unit[e] * unit[e];
      signal += static_cast<double>(expected[e]) * static_cast<double>(expected[e]);
    }
    if (live == 0) continue;
    result.elements += live;
    ++result.slices;
    // Written so that a signal of zero, or one that is not a number, counts as not checked.
    if (!(error_limit * std::sqrt(noise) < resolution * std::sqrt(signal))) {
      if (result.inconclusive_slices++ == 0) {
        result.inconclusive_place = place_of(layout, slice.begin);
      }
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

#define BPTT_INSTANTIATE(GOT, EXPECTED)                                                        \
  template TensorError compare(const Layout&, std::span<const GOT>, std::span<const EXPECTED>, \
                               std::span<const double>, double)
BPTT_INSTANTIATE(float, double);
BPTT_INSTANTIATE(double, double);
BPTT_INSTANTIATE(double, long double);
#undef BPTT_INSTANTIATE

#define BPTT_INSTANTIATE(T)                                                                      \
  template Reference<T> make_reference<T>(const Subject&, const Given&, std::uint64_t, Rounding, \
                                          int);                                                  \
  template Reference<T> make_reference<T>(const Subject&, const Given&, std::uint64_t, Rounding)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

template class ErrorUnits<float>;
template class ErrorUnits<double>;

}  // namespace bptt::verify
