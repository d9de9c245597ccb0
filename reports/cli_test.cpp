// bptt-report as scripts and CI see it: exit codes, messages, files.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/wait.h>

#include "bench/results/csv_writer.hpp"
#include "impls/io/test_folder.hpp"
#include "impls/program/exit_code.hpp"
#include "reports/sample_rows.hpp"
#include "verify/flow/rows.hpp"

namespace bptt::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Outcome {
  int code = 0;
  std::string text;  ///< standard output and error together
};

class ReportCommand : public ::testing::Test {
 protected:
  static Outcome run(const std::string& arguments) {
    const std::string command = "'" BPTT_BIN_DIR "/bptt-report' " + arguments + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    Outcome outcome;
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      outcome.text.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

  void write(const std::vector<results::Row>& rows) const {
    results::CsvWriter writer(csv);
    for (const results::Row& row : rows) writer.write(row);
  }

  static std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  const io::TestFolder folder;
  const std::string directory = folder.path(), csv = folder / "results.csv";
};

TEST_F(ReportCommand, WritesThePageAndTheSummary) {
  write({sample_row("naive", 0, 2), sample_row("tbb", 0, 1)});
  const std::string html = directory + "/p.html", markdown = directory + "/s.md";
  const Outcome outcome = run(csv + " --html " + html + " --markdown " + markdown);
  EXPECT_EQ(outcome.code, program::good) << outcome.text;
  EXPECT_THAT(outcome.text, IsEmpty());
  EXPECT_THAT(contents(html), AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("</html>")));
  EXPECT_THAT(contents(markdown), StartsWith("# Which backend"));
}

TEST_F(ReportCommand, TheSummaryGoesToStandardOutputWithoutFiles) {
  write({sample_row("naive", 0, 2), sample_row("tbb", 0, 1)});
  const Outcome outcome = run(csv + " --baseline tbb");
  EXPECT_EQ(outcome.code, program::good);
  EXPECT_THAT(outcome.text, AllOf(StartsWith("# Which backend"), HasSubstr("Speed-up over tbb")));
}

TEST_F(ReportCommand, ADashIsStandardOutput) {
  write({sample_row("naive", 0, 2), sample_row("tbb", 0, 1)});
  EXPECT_THAT(run(csv + " --markdown -").text, StartsWith("# Which backend"));
  EXPECT_THAT(run(csv + " --html -").text, StartsWith("<!DOCTYPE html>"));
  EXPECT_FALSE(std::filesystem::exists("-"));
  EXPECT_EQ(run(csv + " --html - --markdown -").code, program::bad_usage);
}

TEST_F(ReportCommand, OursMustBeAmongTheResults) {
  write({sample_row("naive", 0, 2), sample_row("tbb", 0, 1)});
  EXPECT_EQ(run(csv + " --ours tbb").code, program::good);
  const Outcome outcome = run(csv + " --ours mkl");
  EXPECT_EQ(outcome.code, program::bad_usage);
  EXPECT_THAT(outcome.text, HasSubstr("--ours: expected one of the backends in the results (naive, "
                                      "tbb); got 'mkl'"));
}

TEST_F(ReportCommand, TakesSeveralFilesAndTheEnvironmentBesideTheFirst) {
  write({sample_row("naive", 0, 2)});
  std::ofstream(directory + "/environment.json") << R"({"system": {"cpu": "Some Processor"}})";
  const std::string second = directory + "/second.csv";
  results::CsvWriter(second).write(sample_row("tbb", 0, 1));
  const Outcome outcome = run(csv + ' ' + second);
  EXPECT_EQ(outcome.code, program::good);
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("Some Processor"), HasSubstr("tbb"), HasSubstr("naive")));
}

TEST_F(ReportCommand, MissingOrMalformedFlagsAreBadUsage) {
  write({sample_row("tbb")});
  EXPECT_EQ(run("").code, program::bad_usage);
  EXPECT_EQ(run(csv + " --htlm x").code, program::bad_usage);
  const Outcome outcome = run(csv + " --baseline mkl");
  EXPECT_EQ(outcome.code, program::bad_usage);
  EXPECT_EQ(outcome.text,
            "bptt-report: --baseline: expected one of the backends in the results (tbb); got "
            "'mkl'\n");
}

TEST_F(ReportCommand, MalformedFilesAreBadDataAndNamed) {
  EXPECT_EQ(run(directory + "/absent.csv").code, program::bad_data);
  write({sample_row("tbb")});
  std::ofstream(csv, std::ios::app) << "2,run";
  const Outcome outcome = run(csv);
  EXPECT_EQ(outcome.code, program::bad_data);
  EXPECT_THAT(outcome.text, StartsWith("bptt-report: " + csv + ":3: column 'time': "));
  write({sample_row("tbb")});
  EXPECT_EQ(run(csv + ' ' + csv).code, program::bad_data) << "the same file twice";
  std::ofstream(directory + "/environment.json") << "{";
  EXPECT_EQ(run(csv).code, program::bad_data);
}

TEST_F(ReportCommand, NothingMeasuredIsAnExitCodeOfItsOwn) {
  results::Row refused = sample_row("tbb");
  refused.seconds.reset();
  refused.note = "refused: no memory";
  write({refused});
  const std::string html = directory + "/p.html";
  const Outcome outcome = run(csv + " --html " + html);
  EXPECT_EQ(outcome.code, program::nothing_done);
  EXPECT_THAT(outcome.text, HasSubstr("no measured row"));
  EXPECT_THAT(contents(html), HasSubstr("no memory")) << "why is told all the same";
  write({});
  EXPECT_EQ(run(csv).code, program::nothing_done);
}

TEST_F(ReportCommand, TakesGradientFlowAloneOrBesideResults) {
  write({sample_row("naive", 0, 2), sample_row("tbb", 0, 1)});
  const std::string flow = directory + "/flow.csv";
  verify::flow::Row row;
  row.backend = "naive", row.dtype = "f64", row.cell = "rnn", row.initialisation = "identity";
  row.T = row.H = row.lag = 1;
  row.norm = 0.5, row.bound = 1, row.verdict = verify::flow::Verdict::holds;
  std::ofstream(flow) << verify::flow::csv_text({row});
  const Outcome alone = run("--flow " + flow);
  EXPECT_EQ(alone.code, program::good);
  EXPECT_THAT(alone.text,
              AllOf(StartsWith("# How do gradients flow here?"), HasSubstr("identity")));
  const Outcome both = run(csv + " --flow " + flow);
  EXPECT_EQ(both.code, program::good);
  EXPECT_THAT(both.text, AllOf(StartsWith("# Which backend"), HasSubstr("identity")));
  row.norm = -1;
  std::ofstream(flow) << verify::flow::csv_text({row});
  const Outcome malformed = run("--flow " + flow);
  EXPECT_EQ(malformed.code, program::bad_data);
  EXPECT_EQ(malformed.text, "bptt-report: " + flow +
                                ":2: column 'norm': expected a number of at least 0, inf or nan; "
                                "got '-1'\n");
  std::ofstream(flow) << verify::flow::csv_text({});
  EXPECT_EQ(run("--flow " + flow).code, program::nothing_done);
  EXPECT_EQ(run("--flow " + directory + "/absent.csv").code, program::bad_data);
}

TEST_F(ReportCommand, OutputsThatCannotBeWrittenAreNamed) {
  write({sample_row("tbb")});
  const Outcome outcome = run(csv + " --html " + directory + "/no/p.html");
  EXPECT_EQ(outcome.code, program::not_available);
  EXPECT_EQ(outcome.text,
            "bptt-report: " + directory + "/no/p.html: cannot write: No such file or directory\n");
  if (std::filesystem::exists("/dev/full")) {
    EXPECT_EQ(run(csv + " --markdown /dev/full").code, program::not_available);
    EXPECT_EQ(run(csv + " > /dev/full").code, program::not_available);
  }
}

TEST_F(ReportCommand, ExplainsItself) {
  const Outcome outcome = run("--help");
  EXPECT_EQ(outcome.code, program::good);
  for (const char* flag :
       {"--html", "--markdown", "--baseline", "--environment", "--flow", "--version"}) {
    EXPECT_THAT(outcome.text, HasSubstr(flag));
  }
}

}  // namespace
}  // namespace bptt::report
