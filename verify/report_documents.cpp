// Where the documents of a run go: files that appear whole or not at all, pipes, standard output.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <system_error>

#include "impls/io/atomic_file.hpp"
#include "verify/report.hpp"

namespace bptt::verify {
namespace {

enum class Existing { replaced, appended_to };

[[noreturn]] void fail(const std::string& path) {
  throw Error(ErrorKind::unavailable,
              path + ": cannot write it: " + std::generic_category().message(errno));
}

void write(std::ostream& stream, const std::string& path, const std::string& text) {
  errno = 0;
  stream << text << std::flush;
  if (!stream) fail(path);
}

void write_file(const std::string& path, const std::string& text, Existing existing,
                std::ostream& standard_output) {
  if (path == "-") return write(standard_output, "standard output", text);
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  // A pipe or a device cannot be replaced.
  const bool replaces =
      existing == Existing::replaced &&
      (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status));
  if (replaces) return io::AtomicFile(path).commit(text);
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::app);
  if (!file) fail(path);
  write(file, path, text);
}

/// GitHub shows what all commands of a step wrote there.
Existing existing_markdown(const std::string& path) {
  const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
  return summary != nullptr && path == summary ? Existing::appended_to : Existing::replaced;
}

}  // namespace

void write_documents(const Settings& settings, const std::vector<Result>& results,
                     std::ostream& standard_output) {
  std::string failures;
  const auto attempt = [&](const std::string& path, Existing existing, auto text) {
    if (path.empty()) return;
    try {
      write_file(path, text(), existing, standard_output);
    } catch (const Error& error) {
      failures += (failures.empty() ? "" : "; ") + std::string(error.what());
    }
  };
  attempt(settings.json, Existing::replaced, [&] { return json_text(settings, results); });
  attempt(settings.junit, Existing::replaced, [&] { return junit_text(results); });
  attempt(settings.markdown, existing_markdown(settings.markdown),
          [&] { return markdown_text(settings, results); });
  if (!failures.empty()) throw Error(ErrorKind::unavailable, failures);
}

}  // namespace bptt::verify
