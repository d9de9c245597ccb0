#include "verify/random_values.hpp"

#include <cmath>
#include <numeric>

namespace bptt::verify {
namespace {

/// Rows of random numbers, each made orthogonal to those before it (Gram-Schmidt), of norm 1.
std::vector<double> orthogonal(Index n, net::Random& random) {
  std::vector<double> q(static_cast<std::size_t>(n * n));
  for (Index row = 0; row < n; ++row) {
    double* v = q.data() + row * n;
    double norm = 0;
    while (norm < 0.1) {  // nearly dependent: draw again
      for (Index k = 0; k < n; ++k) v[k] = spread(random) / std::sqrt(static_cast<double>(n));
      for (Index before = 0; before < row; ++before) {
        const double* u = q.data() + before * n;
        const double dot = std::inner_product(v, v + n, u, 0.0);
        for (Index k = 0; k < n; ++k) v[k] -= dot * u[k];
      }
      norm = std::sqrt(std::inner_product(v, v + n, v, 0.0));
    }
    for (Index k = 0; k < n; ++k) v[k] /= norm;
  }
  return q;
}

// Beyond this, n^3 takes too long.
constexpr Index largest_orthogonal = 128;

}  // namespace

double spread(net::Random& random) {
  return random.uniform(-std::sqrt(3.0), std::sqrt(3.0));
}

double signed_value(net::Random& random) {
  const double magnitude = random.uniform(0.25, 1);
  return random.below(2) == 0 ? magnitude : -magnitude;
}

std::vector<double> recurrent_block(Index n, net::Random& random) {
  if (n <= largest_orthogonal) return orthogonal(n, random);
  std::vector<double> block(static_cast<std::size_t>(n * n));
  for (double& value : block) value = spread(random) / std::sqrt(static_cast<double>(n));
  return block;
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char character : text) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3u;
  }
  return hash;
}

}  // namespace bptt::verify
