// A line on the terminal that says how far the program is and when it will be done. Where stderr is
// not a terminal nothing is printed at all.
#pragma once

#include <chrono>
#include <string>

namespace bptt::program {

/// Work is weighed in seconds as estimated beforehand; the time left is corrected by how long the
/// work so far took in truth.
class Progress {
 public:
  explicit Progress(double estimated_seconds);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` seconds of the estimate are done, and `what` is next.
  void show(double done, const std::string& what);
  /// Takes the line away, so that something else can be printed.
  void clear();

 private:
  bool terminal_;
  bool shown_ = false;
  double total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The line's text, cut to `width` columns.
std::string progress_text(double done, double total, double elapsed, const std::string& what,
                          int width);

/// "0:07", "12:05", "3:00:10"
std::string clock_text(double seconds);

}  // namespace bptt::program
