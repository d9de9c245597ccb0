#include "verify/self_test/program.hpp"

#include <filesystem>
#include <ostream>

#include "impls/api/registry.hpp"
#include "impls/io/atomic_file.hpp"
#include "impls/program/axis.hpp"
#include "impls/program/command_line.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/program/progress.hpp"
#include "verify/self_test/report.hpp"
#include "verify/self_test/self_test.hpp"

namespace bptt::verify::self_test {
namespace {

namespace po = boost::program_options;

constexpr const char* summary =
    "Plants faults in honest backends, runs every check on each, and fails unless each is caught\n"
    "by the check that has to, and unless each check catches a fault that no other one does. See\n"
    "docs/verification.md.";

constexpr const char* epilogue =
    "Examples:\n"
    "  bptt-verify --self-test --json self-test.json && bptt-report --self-test self-test.json\n"
    "  bptt-verify --self-test --backend tbb --quick\n"
    "\n"
    "Exit codes: 0 every fault was caught by the check that has to, and no check is idle; 1 not "
    "so;\n"
    "4 no fault can be planted in these backends; 64 wrong usage; 69 not available here.";

/// For the first guess of the time left.
constexpr double seconds_guessed = 30;

/// One precision of each fault: the one in which less of it shows goes.
std::vector<PlantedFault> in_one_precision(std::vector<PlantedFault> faults) {
  for (PlantedFault& fault : faults) fault.dtypes = {fault.dtypes.back()};
  return faults;
}

std::vector<const Backend*> parse_backends(const std::string& text) {
  std::vector<const Backend*> chosen;
  for (const auto& name : program::parse_words("--backend", text)) {
    if (name == "all") return backends();
    chosen.push_back(&find_backend(name));
  }
  return chosen;
}

void write_file(const std::string& path, const std::string& text) {
  if (!path.empty()) io::AtomicFile(path).commit(text);
}

}  // namespace

int run_program(int argc, const char* const* argv, std::ostream& out) {
  program::CommandLine line("bptt-verify", "bptt-verify --self-test [flags]", summary, epilogue);
  const auto text = [](const char* value, const char* name) {
    return po::value<std::string>()->default_value(value)->value_name(name);
  };
  line.group("What is planted")
      .add_options()("self-test", po::bool_switch(), "this test, instead of the checks")(
          "backend", text("all", "LIST"), "backends to plant faults in, or all")(
          "quick", po::bool_switch(), "in one precision each, instead of in all that it fits")(
          "seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"),
          "what all inputs are drawn from");
  line.group("What comes out")
      .add_options()("json", text("", "FILE"), "write the outcomes as JSON, for bptt-report")(
          "markdown", text("", "FILE"), "write the tables as Markdown");
  const auto given = line.parse(argc, argv);
  if (!given) return program::good;
  const auto value = [&](const char* flag) { return (*given)[flag].as<std::string>(); };

  const auto chosen = parse_backends(value("backend"));
  CheckOptions options;
  options.seed = (*given)["seed"].as<std::uint64_t>();
  if (std::filesystem::is_directory(BPTT_GOLDEN_DIR)) options.golden = BPTT_GOLDEN_DIR;
  auto faults = planted_faults();
  if ((*given)["quick"].as<bool>()) faults = in_one_precision(std::move(faults));

  SelfTest result;
  {
    program::Progress progress(seconds_guessed);
    result = run(
        faults, [&] { return checks_for_self_test(options); }, chosen,
        [&](double share, const std::string& what) {
          progress.show(share * seconds_guessed, what);
        });
  }
  print(out, result);
  write_file(value("json"), json_text(result));
  write_file(value("markdown"), markdown_text(result));
  return result.exit_code();
}

}  // namespace bptt::verify::self_test
