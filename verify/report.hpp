// The results of a run for people and for programs: a page on the terminal, JUnit XML, JSON,
// Markdown, annotations. The formats stand in docs/verification.md.
#pragma once

#include <iosfwd>
#include <string>
#include <tuple>
#include <vector>

#include "verify/result.hpp"
#include "verify/settings.hpp"

namespace bptt::verify {

void print_report(std::ostream&, const Settings&, const std::vector<Result>&);

/// The JSON document, with a final newline: docs/schema/verify.schema.json describes it.
std::string json_text(const Settings&, const std::vector<Result>&);
/// Raised where a key of the JSON document is added, changes its meaning or goes.
inline constexpr int json_schema_version = 2;
/// The JUnit document.
std::string junit_text(const std::vector<Result>&);
/// A summary for the page of a CI job.
std::string markdown_text(const Settings&, const std::vector<Result>&);
/// One annotation of GitHub Actions for each backend, and one for what no backend could check.
std::string github_text(const Settings&, const std::vector<Result>&);

/// What --junit, --json, --markdown ask for, each file whole or not at all. Every one is tried;
/// then throws Error(unavailable) naming those that could not be written. `standard_output` is
/// where "-" goes.
void write_documents(const Settings&, const std::vector<Result>&, std::ostream& standard_output);

/// One failing result in several lines, each finding in full.
void print_failure(std::ostream&, const Result&);

/// Results that share a line of a table: of one kind, backend and precision.
struct ResultGroup {
  CheckKind kind;
  std::string backend;  ///< empty: files that could not be read
  Dtype dtype;
  Counts counts;
  const Result* worst = nullptr;  ///< the one with the largest error
};
/// In the order in which they first came.
std::vector<ResultGroup> groups_of(const std::vector<Result>&);

/// "pass", "FAIL (3)", "inconclusive (2)", "refused", "error"
std::string verdict_text(const Counts&);
/// The verdict of the whole run: "PASS", "FAIL", "ERROR", "INCONCLUSIVE", "NOTHING was checked".
std::string overall_text(const Counts&);
/// "12x": how far below the limit an error is; "-" where there is no finite error.
std::string margin_text(double worst);

}  // namespace bptt::verify
