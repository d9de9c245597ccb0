// A file that appears whole or not at all: written under a name of its own, then renamed.
#pragma once

#include <span>
#include <string>

namespace bptt::io {

class AtomicFile {
 public:
  /// Creates the temporary file beside `path`: what keeps the file from being written shows here,
  /// before there is anything to write. Throws Error(unavailable) with path and reason; also where
  /// `path` is there and not a regular file.
  explicit AtomicFile(std::string path);
  /// Without a commit nothing is left behind, and a file that was there stays as it was.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }
  /// Writes the contents and puts the file in its place. Throws Error(unavailable). Once.
  void commit(std::span<const char> contents);

 private:
  [[noreturn]] void fail(int reason) const;

  std::string path_, temporary_;
  int file_ = -1;
};

}  // namespace bptt::io
