#include "impls/program/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

namespace bptt::program {
namespace {

int terminal_width() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(double estimated_seconds)
    : terminal_(isatty(STDERR_FILENO) == 1), total_(estimated_seconds) {}

void Progress::show(double done, const std::string& what) {
  if (!terminal_) return;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  // One column is left free: a full line would wrap on some terminals.
  const auto text = progress_text(done, total_, elapsed.count(), what, terminal_width() - 1);
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

std::string progress_text(double done, double total, double elapsed, const std::string& what,
                          int width) {
  done = std::min(done, total);
  // The first seconds of work say little about the rest.
  constexpr double enough = 2.0;
  const double correction = done > enough ? elapsed / done : 1.0;
  char head[64];
  std::snprintf(head, sizeof head, "%3.0f%%  %s left  ", total > 0 ? 100 * done / total : 100.0,
                clock_text((total - done) * correction).c_str());
  return (head + what).substr(0, static_cast<std::size_t>(std::max(width, 0)));
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(std::clamp(seconds, 0.0, 1e9)));
  const long long hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  char text[64];
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", hours, minutes, rest);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", minutes, rest);
  }
  return text;
}

}  // namespace bptt::program
