#include "impls/xsmm/blocks.hpp"

#include <algorithm>

namespace bptt::xsmm {
namespace {

constexpr Index most_units = 64, most_sequences = 32;

Index largest_divisor(Index extent, Index most) {
  Index block = std::min(extent, most);
  while (extent % block != 0) --block;
  return block;
}

std::optional<std::string> refuse_extent(char name, Index extent) {
  constexpr Index least = 8;
  const Index block = largest_divisor(extent, most_units);
  if (block >= std::min(extent, least)) return std::nullopt;
  return std::string("libxsmm's blocks must divide the extents: ") + name + "=" +
         std::to_string(extent) + " has no divisor from " + std::to_string(least) + " to " +
         std::to_string(most_units) + " (its largest is " + std::to_string(block) +
         "); a multiple of 16 would do";
}

}  // namespace

Blocks choose_blocks(const Shape& shape) {
  return {largest_divisor(shape.B, most_sequences), largest_divisor(shape.H, most_units),
          largest_divisor(shape.I, most_units)};
}

std::optional<std::string> refuse_blocks(const Shape& shape) {
  if (auto reason = refuse_extent('H', shape.H)) return reason;
  return refuse_extent('I', shape.I);
}

}  // namespace bptt::xsmm
