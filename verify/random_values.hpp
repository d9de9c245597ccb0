// Distributions that leave no element without signal.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "impls/net/random.hpp"

namespace bptt::verify {

/// Uniform with mean 0 and standard deviation 1: no outliers that would dominate a slice.
double spread(net::Random&);

/// Of either sign, away from zero.
double signed_value(net::Random&);

/// n x n, row by row: orthogonal (Gram-Schmidt over random rows) where n is small enough, else of
/// independent entries with singular values below 2.
std::vector<double> recurrent_block(Index n, net::Random&);

/// FNV-1a: std::hash may differ between libraries.
std::uint64_t hash_of(std::string_view);

}  // namespace bptt::verify
