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
    "\n"
    "Exit codes: 0 all that was checked is right, 1 something is numerically wrong, 3 something "
    "is\n"
    "inconclusive (with --strict), 4 nothing was checked, 64 wrong usage, 65 malformed input,\n"
    "69 not available here.";

void add_flags(program::CommandLine& line) {
  line.group("What is checked")
      .add_options()("backend", po::value<std::string>()->default_value("all")->value_name("LIST"),
                     "backends, or all")(
          "cell", po::value<std::string>()->value_name("LIST"),
          "cells with their options, as rnn:relu,lstm,gru:update=keep; with and without bias")(
          "dtype", po::value<std::string>()->default_value("f32,f64")->value_name("LIST"),
          "f32, f64")("threads", po::value<std::string>()->value_name("LIST"),
                      "thread counts (default 1,2,3; with --quick 1,2)")(
          "recompute", po::value<std::string>()->value_name("LIST"),
          "none, gates, checkpoint: what backward computes a second time; default: none in every "
          "case, all three in some")("only", po::value<std::string>()->value_name("CASE"),
                                     "cases whose name matches; * and ? are wild")(
          "quick", po::bool_switch(), "fewer and smaller cases: seconds instead of a minute")(
          "seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"),
          "what all inputs are drawn from")(
          "golden", po::value<std::vector<std::string>>()->multitoken()->value_name("PATH..."),
          "check these golden files, or folders of them, and nothing else")(
          "list-cases", po::bool_switch(), "print the names of the cases and end");
  line.group("Instead of the checks")
      .add_options()("flow", po::bool_switch(),
                     "norms of dh_T/dh_k beside their bound; see bptt-verify --flow --help")(
          "textbook",
          po::value<std::string>()->implicit_value("text")->default_value("")->value_name("FORMAT"),
          "textbook formulas against true gradients; text or markdown");
  line.group("What comes out")
      .add_options()("junit", po::value<std::string>()->default_value("")->value_name("FILE"),
                     "write the results as JUnit XML")(
          "json", po::value<std::string>()->default_value("")->value_name("FILE"),
          "write the results as JSON")("strict", po::bool_switch(),
                                       "exit with 3 where something is inconclusive")(
          "verbose", po::bool_switch(), "print every failure in full, and every refusal");
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

}  // namespace

std::optional<Settings> parse_settings(int argc, const char* const* argv) {
  program::CommandLine line("bptt-verify", "bptt-verify [flags]", summary, epilogue);
  add_flags(line);
  const auto given = line.parse(argc, argv);
  if (!given) return std::nullopt;
  const auto text = [&](const char* flag) { return (*given)[flag].as<std::string>(); };
  const auto is_on = [&](const char* flag) { return (*given)[flag].as<bool>(); };

  Settings settings;
  settings.backends = parse_backends(text("backend"));
  settings.reference = backends().front();
  settings.dtypes.clear();
  for (const auto& word : program::parse_words("--dtype", text("dtype"))) {
    add_once(settings.dtypes, parse_dtype(word));
  }
  if (is_on("flow")) {
    throw Error(ErrorKind::usage, "flow: expected as the flag --flow; got it from a setting");
  }
  settings.textbook = text("textbook");
  settings.quick = is_on("quick");
  const std::string threads =
      given->count("threads") != 0 ? text("threads") : (settings.quick ? "1,2" : "1,2,3");
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
  if (given->count("only") != 0) settings.only = text("only");
  if (given->count("golden") != 0) {
    settings.golden = (*given)["golden"].as<std::vector<std::string>>();
  }
  // A case that was asked for by name is no golden file.
  if (settings.only.empty() && std::filesystem::is_directory(BPTT_GOLDEN_DIR)) {
    settings.own_golden = BPTT_GOLDEN_DIR;
  }
  settings.seed = (*given)["seed"].as<std::uint64_t>();
  settings.list_cases = is_on("list-cases");
  settings.strict = is_on("strict");
  settings.verbose = is_on("verbose");
  settings.junit = text("junit");
  settings.json = text("json");
  return settings;
}

}  // namespace bptt::verify
