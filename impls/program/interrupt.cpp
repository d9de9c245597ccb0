#include "impls/program/interrupt.hpp"

#include <csignal>
#include <ctime>

namespace bptt::program {
namespace {

volatile std::sig_atomic_t signal_came = 0;
struct sigaction before_interrupt, before_terminate;

timespec first_came;

/// A signal this soon after the first is the same wish: `timeout` sends one to the program and one
/// to its group, a terminal and a script around the program may both send theirs.
constexpr double same_wish_seconds = 0.3;

/// Only what a signal handler may call.
void remember(int signal) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (signal_came == 0) {
    signal_came = 1;
    first_came = now;
    return;
  }
  const double since = static_cast<double>(now.tv_sec - first_came.tv_sec) +
                       static_cast<double>(now.tv_nsec - first_came.tv_nsec) * 1e-9;
  if (since < same_wish_seconds) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  signal_came = 0;
  struct sigaction action = {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  action.sa_flags = SA_RESTART;  // Without it every write fails with EINTR.
  sigaction(SIGINT, &action, &before_interrupt);
  sigaction(SIGTERM, &action, &before_terminate);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &before_interrupt, nullptr);
  sigaction(SIGTERM, &before_terminate, nullptr);
}

bool interrupted() {
  return signal_came != 0;
}

}  // namespace bptt::program
