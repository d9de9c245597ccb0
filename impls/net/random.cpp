#include "impls/net/random.hpp"

#include <bit>
#include <cmath>

namespace bptt::net {
namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream) {
  // The stream is mixed before it meets the seed, so that (1, 0) and (0, 1) have nothing in common.
  std::uint64_t mixed = seed;
  if (stream != 0) mixed ^= split_mix(stream);
  for (auto& word : state_) word = split_mix(mixed);
}

std::uint64_t Random::bits() {
  auto& s = state_;
  const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

double Random::uniform() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  for (;;) {
    const double u = uniform(-1, 1);
    const double v = uniform(-1, 1);
    const double s = u * u + v * v;
    if (s >= 1 || s == 0) continue;
    const double factor = std::sqrt(-2 * std::log(s) / s);
    spare_ = v * factor;
    has_spare_ = true;
    return u * factor;
  }
}

Index Random::below(Index n) {
  const auto range = static_cast<std::uint64_t>(n);
  // The lowest 2^64 mod n values are drawn again: without them n divides what is left.
  const std::uint64_t uneven = (0 - range) % range;
  for (;;) {
    const std::uint64_t value = bits();
    if (value >= uneven) return static_cast<Index>(value % range);
  }
}

}  // namespace bptt::net
