// Whether the results of a call that was timed are those that they have to be: a new plan's first
// call computes the same inputs, as it does where a backend is verified, and has to agree, in every
// bit or within the limit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "bench/results_of.hpp"

namespace bptt::bench {

/// In what two calls of the same inputs differ.
struct Difference {
  double error = 0;  ///< the largest, over its limit; 0 where all bits are the same
  std::string what;  ///< where it is, and both values; empty where none is above its limit
  bool is_wrong() const { return !(error <= 1); }
};

/// The limit where bits differ, as of a library whose threads add in the order in which they come:
/// so many units, a unit being what the results move by where each input moves by one unit in its
/// last place, as the root mean square over a time step, a state or a gate. That of
/// verify/tolerance.hpp.
inline constexpr double limit_in_units = 32;

template <Real T>
class Judge {
 public:
  /// What the results hold is what is judged.
  Judge(std::vector<ResultTensor<T>> results, bool has_kink)
      : results_(std::move(results)), has_kink_(has_kink) {
    for (const auto& result : results_) kept_.emplace_back(result.view.begin(), result.view.end());
  }

  /// `first_call(run)` lets a new plan compute the results, from the very inputs for run 0, from
  /// slightly moved ones for others, which are needed where the bits differ.
  template <class FirstCall>
  Difference operator()(const FirstCall& first_call) {
    for (const auto& result : results_) {
      // A NaN that no arithmetic makes.
      std::memset(result.view.data(), 0xff, bytes(result));
    }
    first_call(0);
    bool same = true;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      same = same && std::memcmp(results_[i].view.data(), kept_[i].data(), bytes(results_[i])) == 0;
    }
    if (same) return {};
    std::vector<std::vector<Slice>> slices;
    for (std::size_t i = 0; i < results_.size(); ++i) slices.push_back(compare(i));
    for (std::size_t i = 0; i < results_.size(); ++i) {
      std::copy(results_[i].view.begin(), results_[i].view.end(), kept_[i].begin());
    }
    const int runs = runs_needed();
    for (int run = 1; run <= runs; ++run) {
      first_call(run);
      for (std::size_t i = 0; i < results_.size(); ++i) add_movement(i, slices[i]);
    }
    Difference worst;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      for (const Slice& slice : slices[i]) take(results_[i], slice, runs, worst);
    }
    return worst;
  }

 private:
  struct Slice {
    double largest = 0;  ///< difference
    Index at = 0;        ///< where that is
    double got = 0, expected = 0;
    double difference = 0, signal = 0, movement = 0;  ///< sums of squares
    double count = 0;
  };

  static std::size_t bytes(const ResultTensor<T>& result) {
    return static_cast<std::size_t>(result.view.size()) * sizeof(T);
  }

  /// A relu whose sum is within rounding of zero passes a gradient on or does not: one element may
  /// then be off by all that it is, few can be.
  bool judged_as_a_whole(const ResultTensor<T>& result) const {
    return has_kink_ && result.is_gradient;
  }
  Index slices_of(const ResultTensor<T>& result) const {
    return judged_as_a_whole(result) ? 1 : result.slices;
  }

  template <class Visit>
  void for_each_element(std::size_t i, std::vector<Slice>& slices, Visit visit) const {
    const View<T>& view = results_[i].view;
    const Index size = view.size() / static_cast<Index>(slices.size());
    for (Index e = 0; e < view.size(); ++e) {
      visit(slices[static_cast<std::size_t>(e / size)], e, kept_[i][static_cast<std::size_t>(e)],
            view[e]);
    }
  }

  std::vector<Slice> compare(std::size_t i) const {
    std::vector<Slice> slices(static_cast<std::size_t>(slices_of(results_[i])));
    for_each_element(i, slices, [](Slice& slice, Index e, T got, T expected) {
      ++slice.count;
      if (std::memcmp(&got, &expected, sizeof(T)) == 0) {
        slice.signal += square(expected);
        return;
      }
      double off = std::abs(static_cast<double>(got) - static_cast<double>(expected));
      if (!std::isfinite(off)) off = std::numeric_limits<double>::infinity();
      slice.signal += square(expected);
      slice.difference += off * off;
      if (off <= slice.largest) return;
      slice.largest = off;
      slice.at = e;
      slice.got = static_cast<double>(got);
      slice.expected = static_cast<double>(expected);
    });
    return slices;
  }

  void add_movement(std::size_t i, std::vector<Slice>& slices) const {
    for_each_element(i, slices, [](Slice& slice, Index, T before, T after) {
      slice.movement += square(static_cast<double>(after) - static_cast<double>(before));
    });
  }

  static double square(double value) { return value * value; }

  /// Small slices need more of them.
  int runs_needed() const {
    Index smallest = std::numeric_limits<Index>::max();
    for (const auto& result : results_) {
      smallest = std::min(smallest, result.view.size() / result.slices);
    }
    constexpr Index wanted = 64;
    return static_cast<int>(std::clamp<Index>((wanted + smallest - 1) / smallest, 1, 4));
  }

  void take(const ResultTensor<T>& result, const Slice& slice, int runs, Difference& worst) const {
    if (slice.largest == 0) return;
    constexpr double roundoff = static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
    const double signal = std::sqrt(slice.signal / slice.count);
    const double moved = std::sqrt(slice.movement / slice.count / runs);
    // A third of the digits has to be right, however much results move: std::min also where that is
    // not a number.
    const double most = std::cbrt(roundoff) * signal;
    const bool whole = judged_as_a_whole(result);
    const double units = limit_in_units * std::max(roundoff * signal, moved);
    const double least = limit_in_units * static_cast<double>(std::numeric_limits<T>::min());
    const double limit = std::max(whole ? most : std::min(most, units), least);
    const double off = whole ? std::sqrt(slice.difference / slice.count) : slice.largest;
    double error = off / limit;
    if (!std::isfinite(error)) error = std::numeric_limits<double>::infinity();
    if (error <= worst.error) return;
    worst.error = error;
    if (!worst.is_wrong()) return;
    char values[96];
    std::snprintf(values, sizeof values, ": got %.9g, a new plan's first call gives %.9g",
                  slice.got, slice.expected);
    worst.what = result.place(slice.at) + values;
  }

  std::vector<ResultTensor<T>> results_;
  std::vector<std::vector<T>> kept_;
  bool has_kink_;
};

}  // namespace bptt::bench
