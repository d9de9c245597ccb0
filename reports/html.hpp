// HTML fragments from tables and words, and templates filled with them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reports/environment.hpp"
#include "reports/table.hpp"

namespace bptt::report {

/// Text that means itself in element content and in quoted attributes.
std::string escape_html(std::string_view text);

/// JSON that may stand inside <script>: no "<", so neither "</script" nor "<!--".
std::string escape_json_for_script(const Json&);

/// A backend's place among `backends` chooses its colour, the same everywhere.
class Html {
 public:
  explicit Html(std::vector<std::string> backends) : backends_(std::move(backends)) {}

  std::string words(const Words&) const;
  std::string table(const Table&) const;
  /// Class "s0", "s1", ...; "" for what is not a backend.
  std::string series_class(const std::string& backend) const;

 private:
  std::vector<std::string> backends_;
};

/// Any JSON as nested definition lists and tables.
std::string json_html(const Json&);

/// Replaces each {{name}} of `text` by its value, once: values are not looked through again. A name
/// that is missing or left over is a mistake in the program: std::logic_error.
std::string fill(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace bptt::report
