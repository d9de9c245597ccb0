// Runs bptt-bench as a user does, for tests: flags in, exit code and what it printed out.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/test_folder.hpp"

namespace bptt::bench {

/// The fixture: a folder of its own for what a run writes.
class Cli : public ::testing::Test {
 protected:
  struct Result {
    int code = -1;
    std::string out, err;
  };

  pid_t start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BPTT_BIN_DIR "/bptt-bench");
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const std::string out = folder / "out", err = folder / "err";
    const pid_t child = fork();
    if (child == 0) {
      // The machine's limits are measured where a test is about them.
      setenv("BPTT_LIMITS", "off", 1);
      if (freopen(out.c_str(), "w", stdout) != nullptr &&
          freopen(err.c_str(), "w", stderr) != nullptr) {
        execv(argv[0], argv.data());
      }
      _exit(127);
    }
    return child;
  }
  Result finish(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), text_in(folder / "out"),
            text_in(folder / "err")};
  }
  Result run(const std::vector<std::string>& arguments) { return finish(start(arguments)); }

  /// The last line of stderr: before it there may be warnings, such as that this machine is not
  /// idle.
  static std::string last_line(const std::string& text) {
    if (text.empty()) return "";
    const auto begin = text.find_last_of('\n', text.size() - 2);
    return text.substr(begin == std::string::npos ? 0 : begin + 1);
  }
  void expect_refused(const std::vector<std::string>& arguments, int code,
                      const std::string& part) {
    const Result result = run(arguments);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, ::testing::AllOf(::testing::StartsWith("bptt-bench: "),
                                             ::testing::HasSubstr(part)));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  TestFolder folder;
};

/// A case that takes next to nothing.
inline const std::vector<std::string> tiny = {"--shape", "3x2x5",         "--min-time",
                                              "0.0001",  "--repetitions", "2"};

inline std::vector<std::string> with(std::vector<std::string> arguments,
                                     const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace bptt::bench
