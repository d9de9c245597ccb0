// Ctrl-C that loses nothing: the first one is a request, which the program answers at the next
// point where its results are whole.
#pragma once

namespace bptt::program {

/// What a program exits with that was interrupted by SIGINT or SIGTERM and has written what it had.
inline constexpr int interrupted_exit_code = 130;

/// Catches SIGINT and SIGTERM as long as it lives. Only the first and what comes within 0.3 s of
/// it: a later one ends the program at once, as by default. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// Whether a signal has come since the guard was made.
bool interrupted();

}  // namespace bptt::program
