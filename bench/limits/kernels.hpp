// The loops that find out what a processor can do: arithmetic alone, and memory alone. Each is
// compiled for every instruction set and the best is taken at run time, as in the backends.
#pragma once

#include <cstddef>

#include "impls/api/scalar.hpp"

namespace bptt::bench {

/// Runs `rounds` of independent multiply-adds in registers, enough of them side by side to hide
/// their latency. Returns the floating-point operations done, a multiply-add being two.
template <Real T>
double run_multiply_adds(std::size_t rounds);

/// Reads the array so many times. Returns the sum of all it read, so that nothing is optimised
/// away.
double read_array(const double* values, std::size_t count, int passes);

/// a[i] = b[i] + 0.5 c[i]: two arrays read, one written.
void triad(double* a, const double* b, const double* c, std::size_t count);

}  // namespace bptt::bench
