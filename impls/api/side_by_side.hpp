// Two plans called at the same time.
#pragma once

#include "impls/api/exec.hpp"

namespace bptt {

/// What one of two plans is made with that are called at the same time on the threads of `exec`, an
/// even number: the first half of them, or the second.
inline Exec half_of(const Exec& exec, int side) {
  Exec half = exec;
  half.threads = exec.threads / 2;
  half.first_thread = exec.first_thread + side * half.threads;
  half.threads_beside = exec.threads_beside + half.threads;
  return half;
}

/// Calls two plans, made with the halves of an Exec, at the same time. Neither waits for the other,
/// so that threads have less to wait for than if all of them were at one plan after the other; for
/// small plans that is most of what several threads cost. By Backend::side_by_side.
class SideBySide {
 public:
  virtual ~SideBySide() = default;

  /// Runs body(0), on the calling thread, and body(1), and returns when both have done. Allocates
  /// nothing. Where no thread is free for it, body(1) comes after body(0). If one throws, so does
  /// this, when both have ended; if both do, what body(0) threw.
  template <class Body>
  void run(const Body& body) {
    do_run({&body, [](const void* b, int side) { (*static_cast<const Body*>(b))(side); }});
  }

 protected:
  struct Task {
    const void* body;
    void (*call)(const void*, int side);
    void operator()(int side) const { call(body, side); }
  };

 private:
  virtual void do_run(const Task&) = 0;
};

}  // namespace bptt
