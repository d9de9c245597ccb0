// `bptt-verify --textbook` and `--flow` as the program's other modes: what main() would do.
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "impls/program/exit_code.hpp"
#include "verify/flow/rows.hpp"
#include "verify/program.hpp"

namespace bptt::verify {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Outcome {
  int code;
  std::string text;
};
Outcome run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bptt-verify");
  std::ostringstream out;
  const int code = run_program(static_cast<int>(arguments.size()), arguments.data(), out);
  return {code, out.str()};
}

TEST(Mode, TextbookPrintsTheAuditAndNothingElse) {
  const Outcome text = run({"--textbook"});
  EXPECT_EQ(text.code, program::good);
  EXPECT_THAT(text.text, StartsWith("Gradient formulas as printed"));
  EXPECT_THAT(text.text, Not(HasSubstr("cases, backends")));
  const Outcome markdown = run({"--textbook=markdown"});
  EXPECT_EQ(markdown.code, program::good);
  EXPECT_THAT(markdown.text, StartsWith("### A. "));
  EXPECT_THROW(run({"--textbook=html"}), Error);
}

TEST(Mode, FlowWritesAFileThatReadsBack) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("bptt_verify_mode_" + std::to_string(::getpid()) + ".csv");
  const std::string output = path.string();
  const Outcome outcome = run({"--cell", "rnn:relu", "--flow", "--seq-len", "3", "--hidden", "2",
                               "--output", output.c_str()});
  EXPECT_EQ(outcome.code, program::good);
  EXPECT_THAT(outcome.text, HasSubstr("PASS: 24 of 24 bounds hold."));
  const auto rows = flow::read_csv(output);
  std::filesystem::remove(path);
  ASSERT_EQ(rows.size(), 24u);
  EXPECT_EQ(rows.front().cell, "rnn:relu");
  EXPECT_EQ(rows.back().lag, 3);
}

TEST(Mode, FlowIsAFlagAndNoSetting) {
  ::setenv("BPTT_FLOW", "1", 1);
  try {
    run({"--list-cases"});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
  ::unsetenv("BPTT_FLOW");
}

}  // namespace
}  // namespace bptt::verify
