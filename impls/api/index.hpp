// Extents, counts and offsets: one signed 64-bit type, and arithmetic on it that refuses to wrap.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "impls/api/error.hpp"

namespace bptt {

using Index = std::int64_t;

/// The product of non-negative factors. Throws Error(usage) naming `what` where it exceeds 2^63-1.
inline Index checked_product(std::initializer_list<Index> factors, const char* what) {
  Index product = 1;
  for (const Index factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) {
      throw Error(ErrorKind::usage,
                  std::string(what) + ": its size does not fit in 64 bits; choose smaller extents");
    }
  }
  return product;
}

/// The sum of non-negative terms. Throws Error(usage) naming `what` where it exceeds 2^63-1.
inline Index checked_sum(std::initializer_list<Index> terms, const char* what) {
  Index sum = 0;
  for (const Index term : terms) {
    if (__builtin_add_overflow(sum, term, &sum)) {
      throw Error(ErrorKind::usage,
                  std::string(what) + ": its size does not fit in 64 bits; choose smaller extents");
    }
  }
  return sum;
}

}  // namespace bptt
