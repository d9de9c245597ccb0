// Plain text for people: aligned tables, and numbers with their units.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "impls/api/index.hpp"

namespace bptt::bench {

/// Columns as wide as their longest cell, two spaces between them.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print(std::ostream&, const std::string& indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Three significant digits and a unit: "1.23 us", "45.6 ms", "12.0 s", "3.5 h".
std::string duration_text(double seconds);
/// "12.3", "123", "0.12": what is compared by eye.
std::string number_text(double value);
/// "1 thread", "2 threads"
std::string counted(Index count, const std::string& unit);
/// "93%", "0.4%"
std::string percent_text(double fraction);

}  // namespace bptt::bench
