// For tests: bptt-verify as a user calls it, in a shell.
#pragma once

#include <cstdio>
#include <string>

#include <sys/wait.h>

#include "impls/api/registry.hpp"

namespace bptt::verify {

struct Outcome {
  int code = -1;
  std::string text;  ///< stdout and stderr together
};

/// `before` stands in front of the program: variables, a command that runs it.
inline Outcome call(const std::string& arguments, const std::string& before = "") {
  const std::string command = before + " " + BPTT_BIN_DIR "/bptt-verify " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.text.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

/// The backends that refuse nothing of what is asked for here.
inline std::string own_names() {
  std::string names;
  for (const Backend* backend : own_backends()) {
    names += (names.empty() ? "" : ",") + std::string(backend->name());
  }
  return names;
}

/// One of ours that is not naive; empty where none is built in.
inline std::string other_name() {
  for (const Backend* backend : own_backends()) {
    if (backend->name() != "naive") return std::string(backend->name());
  }
  return "";
}

inline const std::string one_case = "--only 'lstm/plain/T7-B3-I5-H4' ";
inline const std::string golden_folder = BPTT_SOURCE_DIR "/verify/golden";

}  // namespace bptt::verify
