#include "verify/program.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <span>
#include <string_view>

#include "impls/io/printable.hpp"
#include "impls/program/exit_code.hpp"
#include "impls/program/interrupt.hpp"
#include "impls/program/progress.hpp"
#include "verify/dump.hpp"
#include "verify/flow/program.hpp"
#include "verify/fuzz/program.hpp"
#include "verify/properties/property_run.hpp"
#include "verify/report.hpp"
#include "verify/run.hpp"
#include "verify/self_test/program.hpp"
#include "verify/textbook/program.hpp"

namespace bptt::verify {
namespace {

/// What a whole default run takes on two cores, for the first guess of the time left.
constexpr double seconds_guessed = 45;

void print_head(std::ostream& out, const Settings& settings, std::size_t cases) {
  out << "bptt-verify: seed " << settings.seed;
  if (settings.runs_table()) out << ", " << cases << " cases";
  if (!settings.case_text.empty()) out << ", case '" << io::printable(settings.case_text) << "'";
  out << ", backends";
  for (const Backend* backend : settings.backends) {
    out << ' ' << backend->name() << " (" << backend->version() << ')'
        << (backend == settings.backends.back() ? "" : ",");
  }
  out << '\n';
}

/// A backend that was asked for by name and refused everything would turn a gate green that checks
/// nothing.
int exit_code_of_named(const Settings& settings, const std::vector<Result>& results) {
  const int code = exit_code_of(count(results), settings.strict);
  if (!settings.backends_named || code != program::good) return code;
  for (const Backend* backend : settings.backends) {
    const auto is_of = [&](const Result& result) { return result.backend == backend->name(); };
    const auto is_refused = [&](const Result& result) {
      return !is_of(result) || result.verdict == Verdict::refused;
    };
    if (std::none_of(results.begin(), results.end(), is_of) ||
        !std::all_of(results.begin(), results.end(), is_refused)) {
      continue;
    }
    std::cerr << "bptt-verify: " << backend->name()
              << ": nothing was checked: it refused every case that it was named for\n";
    return program::nothing_done;
  }
  return code;
}

/// Documents, and the exit code. What is wrong weighs more than what could not be written.
int finish(const Settings& settings, const std::vector<Result>& results, bool interrupted,
           std::ostream& out, const std::ostream& text) {
  const int code =
      interrupted ? program::interrupted_exit_code : exit_code_of_named(settings, results);
  std::string failures;
  const auto attempt = [&failures](auto write) {
    try {
      write();
    } catch (const Error& error) {
      failures += (failures.empty() ? "" : "; ") + std::string(error.what());
    }
  };
  attempt([&] { write_documents(settings, results, out); });
  if (!settings.dump.empty()) {
    attempt([&] { dump_failures(settings, results, std::cerr); });
  }
  if (!text)
    attempt([] { throw Error(ErrorKind::unavailable, "standard output: cannot write it"); });
  if (failures.empty()) return code;
  if (code != program::numerically_wrong) throw Error(ErrorKind::unavailable, failures);
  std::cerr << "bptt-verify: " << failures << '\n';
  return code;
}

}  // namespace

int run_program(int argc, const char* const* argv, std::ostream& out) {
  // Its flags are its own.
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  if (std::any_of(words.begin(), words.end(),
                  [](std::string_view word) { return word == "--flow"; })) {
    return flow::run_flow(argc, argv, out);
  }
  if (std::any_of(words.begin(), words.end(),
                  [](std::string_view word) { return word == "--self-test"; })) {
    return self_test::run_program(argc, argv, out);
  }
  const auto settings = parse_settings(argc, argv);
  if (!settings) return program::good;
  if (!settings->textbook.empty()) return textbook::run_audit(settings->textbook, out);
  const auto cases = chosen_cases(*settings);
  const auto directions = chosen_direction_cases(*settings);
  const auto properties = chosen_property_cases(*settings);
  if (settings->list_cases) {
    for (const Case& c : cases) out << c.name << '\n';
    for (const Case& c : directions) out << c.name << '\n';
    for (const PropertyCase* c : properties) out << c->name << '\n';
    const bool none = cases.empty() && directions.empty() && properties.empty();
    return none ? program::nothing_done : program::good;
  }
  std::vector<Result> results;
  std::optional<fuzz::Outcome> fuzzed;
  if (settings->fuzz && settings->runs(CheckKind::fuzz)) {
    fuzzed = fuzz::run_fuzz(*settings, results);
  } else if (!settings->case_text.empty() && settings->runs(CheckKind::fuzz)) {
    results = fuzz::run_case(*settings);
  } else if (settings->runs_table() || !settings->golden.empty()) {
    program::Progress line(seconds_guessed);
    results = run_checks(*settings, [&](double share, const std::string& what) {
      line.show(share * seconds_guessed, what);
    });
  }
  // A document on standard output has it for itself.
  std::ostream& text = settings->writes_to_standard_output() ? std::cerr : out;
  print_head(text, *settings, cases.size());
  if (fuzzed) fuzz::print_outcome(text, *settings, *fuzzed);
  print_report(text, *settings, results);
  if (settings->github) text << github_text(*settings, results);
  text << std::flush;
  return finish(*settings, results, fuzzed && fuzzed->interrupted, out, text);
}

}  // namespace bptt::verify
