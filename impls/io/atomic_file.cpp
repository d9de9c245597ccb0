#include "impls/io/atomic_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impls/api/error.hpp"

namespace bptt::io {

void AtomicFile::fail(int reason) const {
  throw Error(ErrorKind::unavailable,
              path_ + ": cannot write it: " + std::generic_category().message(reason));
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path_, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error(ErrorKind::unavailable, path_ + ": cannot write it: it is there, and not a file");
  }
  // The target of a symbolic link is what is replaced, not the link.
  const auto target = std::filesystem::weakly_canonical(path_, ignored);
  if (!target.empty()) path_ = target.string();
  temporary_ = path_ + ".XXXXXX";
  file_ = ::mkstemp(temporary_.data());
  if (file_ < 0) {
    const int reason = errno;
    temporary_.clear();
    fail(reason);
  }
  // mkstemp's 0600 is not what a file that a program writes has.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(file_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::commit(std::span<const char> contents) {
  for (std::size_t done = 0; done < contents.size();) {
    const ssize_t written = ::write(file_, contents.data() + done, contents.size() - done);
    if (written < 0 && errno != EINTR) fail(errno);
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  // On the disk before it takes the old one's place.
  if (::fsync(file_) != 0) fail(errno);
  if (::close(std::exchange(file_, -1)) != 0) fail(errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
}

}  // namespace bptt::io
