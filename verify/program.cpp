#include "verify/program.hpp"

#include <algorithm>
#include <ostream>
#include <span>
#include <string_view>

#include "impls/program/exit_code.hpp"
#include "impls/program/progress.hpp"
#include "verify/flow/program.hpp"
#include "verify/report.hpp"
#include "verify/run.hpp"
#include "verify/textbook/program.hpp"

namespace bptt::verify {
namespace {

/// What a whole default run takes on two cores, for the first guess of the time left.
constexpr double seconds_guessed = 45;

void print_head(std::ostream& out, const Settings& settings, std::size_t cases) {
  out << "bptt-verify: seed " << settings.seed << ", " << cases << " cases, backends";
  for (const Backend* backend : settings.backends) {
    out << ' ' << backend->name() << " (" << backend->version() << ')'
        << (backend == settings.backends.back() ? "" : ",");
  }
  out << '\n';
}

}  // namespace

int run_program(int argc, const char* const* argv, std::ostream& out) {
  // Its flags are its own.
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  if (std::any_of(words.begin(), words.end(),
                  [](std::string_view word) { return word == "--flow"; })) {
    return flow::run_flow(argc, argv, out);
  }
  const auto settings = parse_settings(argc, argv);
  if (!settings) return program::good;
  if (!settings->textbook.empty()) return textbook::run_audit(settings->textbook, out);
  const auto cases = chosen_cases(*settings);
  if (settings->list_cases) {
    for (const Case& c : cases) out << c.name << '\n';
    return cases.empty() ? program::nothing_done : program::good;
  }
  std::vector<Result> results;
  {
    program::Progress line(seconds_guessed);
    results = run_checks(*settings, [&](double share, const std::string& what) {
      line.show(share * seconds_guessed, what);
    });
  }
  print_head(out, *settings, cases.size());
  print_report(out, *settings, results);
  if (!settings->json.empty()) write_file(settings->json, json_text(*settings, results));
  if (!settings->junit.empty()) write_file(settings->junit, junit_text(results));
  return exit_code_of(count(results), settings->strict);
}

}  // namespace bptt::verify
