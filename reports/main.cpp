// bptt-report: results files in, a page and a Markdown summary out.
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <system_error>

#include "impls/api/error.hpp"
#include "impls/program/command_line.hpp"
#include "impls/program/exit_code.hpp"
#include "reports/markdown.hpp"
#include "reports/page.hpp"

namespace bptt::report {
namespace {

namespace po = boost::program_options;

constexpr const char* epilogue =
    "Exit codes: 0 good, 4 the files hold no measured row, 64 bad usage, 65 bad data,\n"
    "69 an output could not be written.";

program::CommandLine command_line() {
  program::CommandLine command(
      "bptt-report",
      "bptt-report CSV... [--flow FILE] [--self-test FILE] [--html FILE] [--markdown FILE] "
      "[--baseline BACKEND]",
      "Turns results of bptt-bench into a page with charts and a Markdown summary: which backend "
      "is\n"
      "fastest for which shape, and by how much. Without --html and --markdown, the summary goes "
      "to\n"
      "standard output.",
      epilogue);
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  command.group("Input").add_options()(
      "csv", po::value<std::vector<std::string>>()->value_name("CSV"),
      "a results file; the flag may be left out, and there may be several")(
      "environment", text("FILE"),
      "what the results were measured on (default: X.environment.json beside each X.csv, or "
      "environment.json)")(
      "flow", text("FILE"),
      "gradient flow that bptt-verify --flow wrote; with it, results files may be left out")(
      "self-test", text("FILE"),
      "what bptt-verify --self-test --json wrote; with it, results files may be left out");
  command.group("Output").add_options()("html", text("FILE"),
                                        "write a page that opens offline; - is standard output")(
      "markdown", text("FILE"), "write a summary in Markdown; - is standard output")(
      "baseline", text("BACKEND"),
      "speed-ups are over this one (default: naive if measured, else the first)")(
      "ours", text("BACKEND"),
      "what peers are compared with (default: in each case the fastest that is no peer)");
  command.positional("csv");
  return command;
}

std::optional<std::string> given(const po::variables_map& settings, const char* flag) {
  if (settings.count(flag) == 0) return std::nullopt;
  return settings[flag].as<std::string>();
}

/// `name` is for the message.
void write(std::ostream& stream, const std::string& name, const std::string& text) {
  errno = stream ? 0 : errno;
  stream << text << std::flush;
  if (!stream) {
    throw Error(ErrorKind::unavailable,
                name + ": cannot write: " + std::generic_category().message(errno));
  }
}

void write_file(const std::string& path, const std::string& text) {
  if (path == "-") return write(std::cout, "standard output", text);
  std::ofstream file(path, std::ios::binary);
  write(file, path, text);
}

void check_ours(const Report& report) {
  const auto& known = report.study.backends;
  if (report.ours.empty() || std::find(known.begin(), known.end(), report.ours) != known.end()) {
    return;
  }
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::usage, "--ours: expected one of the backends in the results (" + names +
                                    "); got '" + report.ours + "'");
}

int report(int argc, const char* const* argv) {
  const auto settings = command_line().parse(argc, argv);
  if (!settings) return program::good;
  const auto flow = given(*settings, "flow");
  const auto self_test = given(*settings, "self-test");
  const bool has_results = settings->count("csv") != 0;
  if (!has_results && !flow && !self_test) {
    throw Error(ErrorKind::usage, "expected one results file or more; got none (see --help)");
  }
  const auto paths =
      has_results ? (*settings)["csv"].as<std::vector<std::string>>() : std::vector<std::string>();
  std::vector<Source> sources;
  for (const std::string& path : paths) {
    sources.push_back({path, results::read_csv_with_lines(path)});
  }
  Report report = report_of(study_of(sources), given(*settings, "baseline").value_or(""),
                            environments_for(given(*settings, "environment"), paths));
  report.ours = given(*settings, "ours").value_or("");
  check_ours(report);
  if (flow) report.flow = verify::flow::read_csv(*flow);
  if (self_test) report.self_test = verify::self_test::read_json(*self_test);
  const auto html = given(*settings, "html");
  const auto markdown = given(*settings, "markdown");
  if (html == "-" && markdown == "-") {
    throw Error(ErrorKind::usage,
                "--html and --markdown: expected standard output (-) for one of them; got both");
  }
  if (html) write_file(*html, html_page(report));
  if (markdown) write_file(*markdown, markdown_summary(report));
  if (!html && !markdown) write(std::cout, "standard output", markdown_summary(report));
  const bool has_faults = report.self_test && !report.self_test->outcomes.empty();
  if (!report.study.cases.empty() || !report.flow.empty() || has_faults) return program::good;
  std::cerr << "bptt-report: no measured row in "
            << (has_results ? paths.front()
                : flow      ? *flow
                            : *self_test)
            << (paths.size() > 1 ? " and the others" : "") << '\n';
  return program::nothing_done;
}

}  // namespace
}  // namespace bptt::report

int main(int argc, char** argv) {
  return bptt::program::run("bptt-report", [&] { return bptt::report::report(argc, argv); });
}
