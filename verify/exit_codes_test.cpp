// What bptt-verify makes of its flags: the exit code, and a message that names what is wrong.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/call_program.hpp"

namespace bptt::verify {
namespace {

using testing::HasSubstr;

/// `arguments`: OTHER stands for a backend of ours that is not naive.
struct ExitCase {
  const char* name;
  std::string arguments;
  int code;
  const char* message;
};
void PrintTo(const ExitCase& exit, std::ostream* out) {
  *out << exit.name;
}

const ExitCase exit_cases[] = {
    {"Help", "--help", 0, "Exit codes"},
    {"Version", "--version", 0, "bptt-verify of bptt"},
    {"UnknownFlag", "--nonsense", 64, "nonsense"},
    {"UnknownBackend", "--backend nonsense", 64, "'nonsense'"},
    {"UnknownCell", "--cell nonsense", 64, "'nonsense'"},
    {"UnknownDtype", "--dtype f16", 64, "'f16'"},
    {"BadThreads", "--threads 0", 64, "--threads"},
    {"BadSeed", "--seed one", 64, "seed"},
    {"NoCaseMatches", "--only nonsense", 4, "NOTHING was checked"},
    {"NoCaseListed", "--list-cases --only nonsense", 4, ""},
    {"AllRefused", "--backend naive --threads 2 " + one_case, 4, "it runs on one thread"},
    {"BadRecompute", "--recompute some", 64, "'some'"},
    {"AllGoldenRefused",
     "--backend naive --threads 2 --golden " + golden_folder + "/lstm_deep2.safetensors", 4,
     "it runs on one thread"},
    {"NoGoldenFile", "--golden /nonexistent.safetensors", 65, "/nonexistent.safetensors"},
    {"OneGoldenFileOfSeveral",
     "--golden " + golden_folder + "/lstm.safetensors /nonexistent.safetensors", 65,
     "/nonexistent.safetensors"},
    {"EmptyGoldenFolder", "--golden " BPTT_SOURCE_DIR "/cmake", 4, "NOTHING was checked"},
    {"NotAGoldenFile", "--golden " BPTT_SOURCE_DIR "/CMakeLists.txt", 65, "CMakeLists.txt: "},
    {"BadLabel", "--label nonsense", 64, "'nonsense'"},
    {"LabelMatchesNothing", one_case + "--label golden", 4, "NOTHING was checked"},
    {"LabelOfTheRun", "--label suite", 64, "no check of its own"},
    {"LabelOfOtherCases", "--label fuzz", 64, "got neither"},
    {"LabelThatFuzzDoesNotRun", "--fuzz 3 --label equality", 64, "checks of kind fuzz"},
    {"LabelThatACaseDoesNotRun", "--case 'rnn T=1 B=1 I=1 H=1' --label golden", 64, "--case"},
    {"LabelThatFilesDoNotRun", "--label equality --golden " + golden_folder, 64, "--golden"},
    {"OraclesWithoutNaive", "--label gradient --backend OTHER", 64, "naive in f64 on one thread"},
    {"QuickRandomCases", "--fuzz 3 --quick", 64, "--quick"},
    {"ListOfRandomCases", "--fuzz 3 --list-cases", 64, "--list-cases"},
    {"EmptyCase", "--case ''", 64, "--case"},
    {"EmptyOnly", "--only ''", 64, "--only"},
    {"NamedBackendRefusesAll", "--backend naive,OTHER --only 'lstm/plain/T7-B3-I5-H4' --threads 2",
     4, "naive: nothing was checked"},
    {"BadFuzz", "--fuzz some", 64, "--fuzz"},
    {"FuzzAndOnly", "--fuzz 3 --only 'lstm/*'", 64, "expected one of --fuzz"},
    {"BadCase", "--case 'lstm T=3 B=2 I=1'", 64, "there is no H="},
    {"TwoDocumentsOnStandardOutput", one_case + "--json - --markdown -", 64, "--markdown"},
    {"FullDisk", "--backend naive " + one_case + "--json /dev/full", 69, "No space left"},
    {"UnwritableReport", one_case + "--json /nonexistent/report.json", 69,
     "/nonexistent/report.json"},
};

class ExitCodes : public testing::TestWithParam<ExitCase> {};

TEST_P(ExitCodes, AreAsPromised) {
  std::string arguments = GetParam().arguments;
  if (const auto at = arguments.find("OTHER"); at != std::string::npos) {
    if (other_name().empty()) GTEST_SKIP() << "no backend but naive is built in";
    arguments.replace(at, 5, other_name());
  }
  const Outcome outcome = call(arguments);
  EXPECT_EQ(outcome.code, GetParam().code) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(All, ExitCodes, testing::ValuesIn(exit_cases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Messages, OfErrorsAreOneLine) {
  for (const char* arguments : {"--nonsense", "--backend nonsense", "--cell lstm:nonsense",
                                "--case 'lstm T=1 B=1'", "--fuzz -3"}) {
    const std::string text = call(arguments).text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    EXPECT_THAT(text, testing::StartsWith("bptt-verify: "));
  }
}

}  // namespace
}  // namespace bptt::verify
