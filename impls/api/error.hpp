// The one exception type of the suite: a single line for a person, and a kind for a program.
#pragma once

#include <stdexcept>
#include <string>

namespace bptt {

/// What went wrong, as far as a caller (or a process exit code, see impls/program/exit_code.hpp)
/// has to tell the cases apart.
enum class ErrorKind {
  usage,        ///< the request itself is malformed: a flag, an option, an extent, a shape
  data,         ///< input data is malformed: a file, a CSV cell, a tensor in a safetensors file
  unavailable,  ///< the request is fine, but not to be had here: memory, a library, a backend
};

/// Every error names the thing, what was expected and what came, in one line.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace bptt
