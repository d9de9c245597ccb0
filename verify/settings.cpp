#include "verify/settings.hpp"

#include <algorithm>
#include <filesystem>

#include "impls/api/registry.hpp"
#include "impls/program/axis.hpp"
#include "impls/program/command_line.hpp"

namespace bptt::verify {
namespace {

namespace po = boost::program_options;

constexpr const char* summary =
    "Checks the gradients of recurrent backends: the reference against complex step and finite\n"
    "differences, every backend against the reference in the next higher precision and against\n"
    "golden files of another system. Verdicts are measured in units of the reference's own\n"
    "rounding error; see docs/verification.md.";

constexpr const char* epilogue =
    "Examples:\n"
    "  bptt-verify                                   everything\n"
    "  bptt-verify --quick --junit report.xml        what a commit is checked with\n"
    "  bptt-verify --backend tbb --only 'lstm/*' --dtype f64\n"
    "  bptt-verify --golden verify/golden            golden files only\n"
    "  bptt-verify --fuzz 10000 --seed 7             cases at random; failures are shrunk\n"
    "  bptt-verify --case 'lstm:peephole T=3 B=2 I=1 H=5 lengths=2,0 without=c0,dhT'\n"
    "  bptt-verify --quick --github --markdown \"$GITHUB_STEP_SUMMARY\"\n"
    "\n"
    "Exit codes: 0 all that was checked is right, 1 something is numerically wrong, 3 something\n"
    "is inconclusive (with --strict), 4 nothing was checked, 64 wrong usage, 65 malformed input,\n"
    "69 not available here, or an output could not be written, 130 interrupted.";

po::typed_value<std::string>* text(const char* value_name) {
  return po::value<std::string>()->value_name(value_name);
}
po::typed_value<std::string>* text(const char* value_name, const char* by_default) {
  return text(value_name)->default_value(by_default);
}
/// Not shown as a default of ''.
po::typed_value<std::string>* path(const char* value_name) {
  return text(value_name)->default_value("", "");
}

void add_what_is_checked(program::CommandLine& line) {
  auto add = line.group("Which checks").add_options();
  static const std::string labels =
      "kinds of checks, of " + check_kind_names() + "; default: all that there is something for";
  add("label", text("LIST"), labels.c_str());
  add("only", text("CASE"), "cases whose name matches; * and ? are wild");
  add("cell", text("LIST"),
      "cells with their options, as rnn:relu,lstm,gru:update=keep; with and without bias");
  add("quick", po::bool_switch(), "fewer and smaller cases: seconds instead of minutes");
  add("golden", po::value<std::vector<std::string>>()->multitoken()->value_name("PATH..."),
      "check these golden files, or folders of them, and nothing else");
  add("list-cases", po::bool_switch(), "print the names of the cases and end");
}

void add_how(program::CommandLine& line) {
  auto add = line.group("What they run on").add_options();
  add("backend", text("LIST", "all"), "backends, or all");
  add("dtype", text("LIST", "f32,f64"), "f32, f64");
  add("threads", text("LIST"),
      "thread counts (default 1,2,3; with --quick 1,2; with --fuzz 1 to 4 at random)");
  add("recompute", text("LIST"),
      "none, gates, checkpoint: what backward computes a second time (default: none in every "
      "case, all three in some)");
  add("seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"),
      "what all inputs are drawn from");
}

void add_flags(program::CommandLine& line) {
  add_what_is_checked(line);
  add_how(line);
  auto random = line.group("Cases that no table has").add_options();
  random("fuzz", po::value<std::string>()->value_name("N"),
         "N random cases, backends against the reference; a failure is shrunk to a small case "
         "and printed as a command");
  random("case", text("TEXT"), "one case in words, as --fuzz prints it; docs/verification.md");
  auto instead = line.group("Instead of the checks").add_options();
  instead(
      "self-test", po::bool_switch(),
      "plant faults in honest backends and see each caught; see bptt-verify --self-test --help");
  instead("flow", po::bool_switch(),
          "norms of dh_T/dh_k beside their bound; see bptt-verify --flow --help");
  instead("textbook", path("FORMAT")->implicit_value("text"),
          "textbook formulas against true gradients; text or markdown");
  auto out = line.group("What comes out (FILE may be -, standard output)").add_options();
  out("junit", path("FILE"), "write the results as JUnit XML");
  out("json", path("FILE"), "write the results as JSON (docs/schema/verify.schema.json)");
  out("markdown", path("FILE"),
      "write a summary in Markdown; appended where FILE is $GITHUB_STEP_SUMMARY");
  out("github", po::bool_switch(), "print one annotation of GitHub Actions for each backend");
  out("dump", path("DIR"),
      "write inputs and both results of what fails, as safetensors, one file for each");
  out("strict", po::bool_switch(), "exit with 3 where something is inconclusive");
  out("verbose", po::bool_switch(), "print every failure in full, and every refusal");
}

template <class T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

std::vector<const Backend*> parse_backends(const std::string& text) {
  std::vector<const Backend*> chosen;
  for (const auto& name : program::parse_words("--backend", text)) {
    if (name == "all") {
      for (const Backend* backend : backends()) add_once(chosen, backend);
    } else {
      add_once(chosen, &find_backend(name));
    }
  }
  return chosen;
}

std::uint64_t parse_fuzz(const std::string& text) {
  return static_cast<std::uint64_t>(program::parse_axis("--fuzz", text, {.count = 1}).front());
}

/// Where cases come from: one place at a time.
void check_sources(const Settings& settings) {
  const bool is_case = !settings.case_text.empty();
  const int sources = (settings.fuzz ? 1 : 0) + (is_case ? 1 : 0) +
                      (settings.golden.empty() ? 0 : 1) + (settings.only.empty() ? 0 : 1);
  if (sources > 1) {
    throw Error(ErrorKind::usage,
                "expected one of --fuzz, --case, --golden, --only; got several of them");
  }
}

/// Flags that would leave nothing to check, or have no effect, say so.
void check_labels(const Settings& settings) {
  const auto wants_only = [&](CheckKind kind, const char* flag) {
    if (settings.runs(kind)) return;
    throw Error(ErrorKind::usage, std::string(flag) + " runs checks of kind " +
                                      std::string(name_of(kind)) +
                                      "; got a --label without that kind");
  };
  const auto is_in = [](const auto& list, const auto& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  if (settings.fuzz) wants_only(CheckKind::fuzz, "--fuzz");
  if (!settings.case_text.empty()) wants_only(CheckKind::fuzz, "--case");
  if (!settings.golden.empty()) wants_only(CheckKind::golden, "--golden");
  if (!settings.runs_table() && settings.quick) {
    throw Error(ErrorKind::usage,
                "--quick chooses among the cases of the table; got it with other cases");
  }
  if (!settings.runs_table() && settings.list_cases) {
    throw Error(ErrorKind::usage,
                "--list-cases lists the cases of the table; got it with other cases");
  }
  if (is_in(settings.labels, CheckKind::suite)) {
    throw Error(ErrorKind::usage,
                "--label: suite is the verdict on the inputs of a whole run, no check of its own");
  }
  if (settings.runs_table() && is_in(settings.labels, CheckKind::fuzz)) {
    throw Error(ErrorKind::usage, "--label: fuzz is for --fuzz and --case; got neither");
  }
  if (settings.labels == std::vector{CheckKind::gradient} &&
      !(is_in(settings.backends, settings.reference) && is_in(settings.threads, 1) &&
        is_in(settings.dtypes, Dtype::f64))) {
    throw Error(ErrorKind::usage,
                "--label gradient checks naive in f64 on one thread, which stands for the others "
                "(they are compared with it); got flags that exclude that");
  }
}

/// Standard output takes one document.
void check_outputs(const Settings& settings) {
  int on_stdout = 0;
  for (const std::string* path : {&settings.junit, &settings.json, &settings.markdown}) {
    on_stdout += *path == "-" ? 1 : 0;
  }
  if (on_stdout > 1) {
    throw Error(ErrorKind::usage,
                "expected - for one of --junit, --json, --markdown; got it for several of them");
  }
}

}  // namespace

bool Settings::runs(CheckKind kind) const {
  return labels.empty() || std::find(labels.begin(), labels.end(), kind) != labels.end();
}

std::optional<Settings> parse_settings(int argc, const char* const* argv) {
  program::CommandLine line("bptt-verify", "bptt-verify [flags]", summary, epilogue);
  add_flags(line);
  const auto given = line.parse(argc, argv);
  if (!given) return std::nullopt;
  const auto text = [&](const char* flag) { return (*given)[flag].as<std::string>(); };
  const auto is_on = [&](const char* flag) { return (*given)[flag].as<bool>(); };

  Settings settings;
  settings.backends = parse_backends(text("backend"));
  settings.backends_named = text("backend") != "all";
  settings.reference = backends().front();
  settings.dtypes.clear();
  for (const auto& word : program::parse_words("--dtype", text("dtype"))) {
    add_once(settings.dtypes, parse_dtype(word));
  }
  if (is_on("flow")) {
    throw Error(ErrorKind::usage, "flow: expected as the flag --flow; got it from a setting");
  }
  if (is_on("self-test")) {
    throw Error(ErrorKind::usage,
                "self-test: expected as the flag --self-test; got it from a setting");
  }
  settings.textbook = text("textbook");
  settings.quick = is_on("quick");
  settings.threads_given = given->count("threads") != 0;
  const std::string threads =
      settings.threads_given ? text("threads") : (settings.quick ? "1,2" : "1,2,3");
  settings.threads.clear();
  for (const Index count : program::parse_axis("--threads", threads, {.most = 4096})) {
    settings.threads.push_back(static_cast<int>(count));
  }
  if (given->count("recompute") != 0) {
    for (const auto& word : program::parse_words("--recompute", text("recompute"))) {
      add_once(settings.recompute, parse_recompute(word));
    }
  }
  if (given->count("cell") != 0) {
    for (const auto& word : program::parse_words("--cell", text("cell"))) {
      Cell cell = parse_cell(word);
      for (const bool bias : {true, false}) {
        if (word.find(":bias=") != std::string::npos && cell.bias != bias) continue;
        Cell with = cell;
        with.bias = bias;
        add_once(settings.cells, to_string(with));
      }
    }
  }
  for (const char* flag : {"only", "case"}) {
    if (given->count(flag) != 0 && text(flag).empty()) {
      throw Error(ErrorKind::usage, "--" + std::string(flag) + ": expected a value; got ''");
    }
  }
  if (given->count("only") != 0) settings.only = text("only");
  if (given->count("golden") != 0) {
    settings.golden = (*given)["golden"].as<std::vector<std::string>>();
  }
  if (given->count("label") != 0) {
    for (const auto& word : program::parse_words("--label", text("label"))) {
      add_once(settings.labels, parse_check_kind(word));
    }
  }
  if (given->count("fuzz") != 0) settings.fuzz = parse_fuzz(text("fuzz"));
  if (given->count("case") != 0) settings.case_text = text("case");
  check_sources(settings);
  // A case that was asked for by name is no golden file.
  if (settings.only.empty() && settings.runs_table() &&
      std::filesystem::is_directory(BPTT_GOLDEN_DIR)) {
    settings.own_golden = BPTT_GOLDEN_DIR;
  }
  settings.seed = (*given)["seed"].as<std::uint64_t>();
  settings.list_cases = is_on("list-cases");
  settings.strict = is_on("strict");
  settings.verbose = is_on("verbose");
  settings.junit = text("junit");
  settings.json = text("json");
  settings.markdown = text("markdown");
  settings.github = is_on("github");
  settings.dump = text("dump");
  check_labels(settings);
  check_outputs(settings);
  return settings;
}

}  // namespace bptt::verify
