// naive as another library might compute the same: how much do the last digits of tanh and of the
// logistic function, and the order of sums over batch and time, count in a result? Only the
// verifier asks (verify/tolerance.cpp).
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "impls/api/view.hpp"

namespace bptt::naive {

/// While one lives, on this thread:
/// - what naive's tanh and logistic function give is moved by up to one unit in the last place at
///   random: less than the GNU C library allows its own tanh, two units;
/// - if so asked, the gradients of parameters, sums over the samples of the batch and their steps,
///   are taken from the last sample to the first, and of each sample from its first step to the
///   last. Order matters where some addends are large and others small and many: once a sum is
///   large, every small addend rounds it, and where they are equal always in the same direction.
/// Without one, naive has the C library's functions as they are, and takes samples as they come
/// and steps as backward goes.
class Variation {
 public:
  enum class Sums { as_they_come, reversed };

  Variation(std::uint64_t seed, Sums sums) : state_(seed), sums_(sums), before_(current_) {
    current_ = this;
  }
  ~Variation() { current_ = before_; }
  Variation(const Variation&) = delete;
  Variation& operator=(const Variation&) = delete;

  /// `value` as the functions of this thread have it. Complex numbers are left alone.
  template <class T>
  static T value_of(const T& value) {
    if constexpr (std::is_floating_point_v<T>) {
      if (current_ != nullptr) {
        return value + value * std::numeric_limits<T>::epsilon() * static_cast<T>(current_->next());
      }
    }
    return value;
  }

  /// Which of B samples this thread takes as number `turn`.
  static Index sample_at(Index turn, Index B) { return reverses_sums() ? B - 1 - turn : turn; }
  static bool reverses_sums() { return current_ != nullptr && current_->sums_ == Sums::reversed; }

 private:
  /// In [-1,1). SplitMix64 (Steele, Lea, Flood 2014).
  double next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
  }

  static constinit inline thread_local Variation* current_ = nullptr;
  std::uint64_t state_;
  Sums sums_;
  Variation* before_;
};

}  // namespace bptt::naive
