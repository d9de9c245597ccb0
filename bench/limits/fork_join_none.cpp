// Built where there is no oneTBB to measure.
#include "bench/limits/limits.hpp"

namespace bptt::bench {

std::optional<double> measure_fork_join(int, bool) {
  return std::nullopt;
}

}  // namespace bptt::bench
