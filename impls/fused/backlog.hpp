// What a time loop that one thread runs leaves for the others to do meanwhile: pieces of work in an
// order that the shape fixes. They take one after another as soon as the loop has come so far, and
// begin no more when it has ended: the rest is for all. How many they have got to by then depends
// on who was faster that day. The result must not.
#pragma once

#include <atomic>

#include "impls/api/exec.hpp"
#include "impls/fused/layout.hpp"

namespace bptt::fused {

class Backlog {
 public:
  explicit Backlog(const Exec&);

  /// By one thread, before the others look: of steps before `to`, the loop has done none.
  void open(Index to);

  /// The loop, which goes back through time, has done step t. Writes before are seen by who begins
  /// a piece that waited for it.
  void reach(Index t);
  /// The loop has done its last step, t. The others begin nothing more: what had to wait for that
  /// step is for all.
  void close(Index t);

  /// By each of the others, for piece 0, 1, ...: waits until the loop has done step t. False, and
  /// for all of them, if the loop was closed before any of them came to this piece.
  bool begin(int piece, Index t);
  /// Pieces that the others have begun. To be asked after a meeting of all.
  int begun() const { return begun_.load(std::memory_order_relaxed) & ~closed; }

 private:
  static constexpr int closed = 1 << 30;

  int turns_;  ///< of spinning before sleeping
  // Two lines each: they are fetched in pairs.
  alignas(128) std::atomic<Index> reached_{0};
  alignas(128) std::atomic<int> begun_{0};  ///< plus `closed`
};

}  // namespace bptt::fused
