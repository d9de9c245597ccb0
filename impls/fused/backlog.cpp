#include "impls/fused/backlog.hpp"

#include "impls/fused/waiting.hpp"

namespace bptt::fused {

Backlog::Backlog(const Exec& exec) : turns_(turns_before_sleep(exec)) {}

void Backlog::open(Index to) {
  reached_.store(to, std::memory_order_relaxed);
  begun_.store(0, std::memory_order_relaxed);
}

void Backlog::reach(Index t) {
  // Sequentially consistent: notifying must not look for sleepers before this is seen.
  reached_.store(t, std::memory_order_seq_cst);
  reached_.notify_all();
}

void Backlog::close(Index t) {
  // Before those who wait for the last step are woken, so that they find it closed.
  begun_.fetch_or(closed, std::memory_order_relaxed);
  reach(t);
}

bool Backlog::begin(int piece, Index t) {
  for (Index at; (at = reached_.load(std::memory_order_acquire)) > t;) {
    wait_while(reached_, at, turns_);
  }
  int begun = begun_.load(std::memory_order_relaxed);
  while ((begun & ~closed) <= piece) {
    if ((begun & closed) != 0) return false;
    // Whoever loses looks again at what another has made of it.
    if (begun_.compare_exchange_weak(begun, begun + 1, std::memory_order_relaxed)) break;
  }
  return true;
}

}  // namespace bptt::fused
