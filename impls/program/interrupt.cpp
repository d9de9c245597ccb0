#include "impls/program/interrupt.hpp"

#include <csignal>

namespace bptt::program {
namespace {

volatile std::sig_atomic_t signal_came = 0;
struct sigaction before_interrupt, before_terminate;

void remember(int) {
  signal_came = 1;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  signal_came = 0;
  struct sigaction action = {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART would make every write fail with EINTR; SA_RESETHAND lets the second one kill.
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
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
