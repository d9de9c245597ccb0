// Reproducible random numbers: the same seed gives the same numbers on every platform and standard
// library (std::uniform_real_distribution and its kin may differ between libraries).
#pragma once

#include <array>
#include <cstdint>

#include "impls/api/index.hpp"

namespace bptt::net {

/// xoshiro256++ 1.0 (Blackman, Vigna 2019, https://prng.di.unimi.it), its state filled by
/// SplitMix64. Streams of one seed are independent sequences: one each for weights, inputs, ...
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  /// 64 random bits.
  std::uint64_t bits();
  /// In [0,1): the upper 53 bits.
  double uniform();
  /// In [low,high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Marsaglia's polar method). Bitwise the same wherever std::log is.
  double normal();
  /// In [0,n), every value as likely as any other; n at least 1.
  Index below(Index n);

 private:
  std::array<std::uint64_t, 4> state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace bptt::net
