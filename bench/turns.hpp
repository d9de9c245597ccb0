// Measuring several backends in turns on one machine.
#pragma once

#include <chrono>
#include <cstddef>
#include <thread>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// Lets the thread pool of whoever ran before fall asleep: OpenBLAS's threads spin for about 25 ms
/// after their last use, on cores that the next backend needs.
class Settle {
 public:
  void before_measurement() {
    if (pool_awake_) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    pool_awake_ = false;
  }
  void after_measurement(int threads) { pool_awake_ = threads > 1; }

 private:
  bool pool_awake_ = false;
};

/// Who is measured at `position` of a round: the first of each round is another one.
inline std::size_t in_turn(std::size_t position, Index round, std::size_t count) {
  return (position + static_cast<std::size_t>(round)) % count;
}

}  // namespace bptt::bench
