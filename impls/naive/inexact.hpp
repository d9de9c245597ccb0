// naive with the functions of another library: how much do the last digits of tanh and of the
// logistic function count in a result? Only the verifier asks (verify/tolerance.cpp).
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace bptt::naive {

/// While one lives, what naive's tanh and logistic function give on this thread is moved by up to
/// one unit in the last place at random: less than the GNU C library allows its own tanh, two
/// units. Without one, naive has the C library's functions as they are.
class InexactFunctions {
 public:
  explicit InexactFunctions(std::uint64_t seed) : state_(seed), before_(current_) {
    current_ = this;
  }
  ~InexactFunctions() { current_ = before_; }
  InexactFunctions(const InexactFunctions&) = delete;
  InexactFunctions& operator=(const InexactFunctions&) = delete;

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

 private:
  /// In [-1,1). SplitMix64 (Steele, Lea, Flood 2014).
  double next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
  }

  static constinit inline thread_local InexactFunctions* current_ = nullptr;
  std::uint64_t state_;
  InexactFunctions* before_;
};

}  // namespace bptt::naive
