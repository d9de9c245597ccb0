#include "verify/command.hpp"

#include <algorithm>

namespace bptt::verify {
namespace {

/// The flag that chooses a subject of this kind.
std::string flag_of(CheckKind kind) {
  switch (kind) {
    case CheckKind::golden:
      return "--golden";
    case CheckKind::fuzz:
      return "--case";
    default:
      return "--only";
  }
}

}  // namespace

std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

std::string command_of(const Result& result) {
  // Bits that differ between thread counts show only where both are run.
  const bool needs_both =
      std::any_of(result.findings.begin(), result.findings.end(),
                  [](const Finding& finding) { return finding.check == "threads"; });
  const std::string subject = " " + flag_of(result.kind) + " " + shell_word(result.subject);
  if (result.backend.empty()) return "bptt-verify" + subject;
  return "bptt-verify --backend " + result.backend + subject + " --dtype " +
         std::string(name_of(result.dtype)) + " --threads " +
         (needs_both ? std::to_string(result.first_threads) + "," : "") +
         std::to_string(result.threads) + " --recompute " + std::string(name_of(result.recompute)) +
         " --seed " + std::to_string(result.seed);
}

}  // namespace bptt::verify
