#include "bench/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace bptt::bench {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Three significant digits without an exponent.
std::string three_digits(double value) {
  const double size = std::abs(value);
  return formatted(size >= 99.95 ? "%.0f" : size >= 9.995 ? "%.1f" : "%.2f", value);
}

}  // namespace

void Table::print(std::ostream& out, const std::string& indent) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(column.title.size());
  for (const auto& row : rows_) {
    for (std::size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], row[k].size());
  }
  const auto print_line = [&](auto&& cell_of) {
    std::string line = indent;
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      const std::string& cell = cell_of(k);
      const std::string padding(widths[k] - cell.size(), ' ');
      if (k > 0) line += "  ";
      line += columns_[k].align == Align::right ? padding + cell : cell + padding;
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  };
  print_line([&](std::size_t k) -> const std::string& { return columns_[k].title; });
  for (const auto& row : rows_) {
    print_line([&](std::size_t k) -> const std::string& { return row[k]; });
  }
}

std::string duration_text(double seconds) {
  struct Unit {
    double seconds;
    const char* name;
  };
  constexpr Unit units[] = {{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {3600, "h"}};
  Unit unit = units[0];
  for (const Unit& u : units) {
    if (seconds >= 0.9995 * u.seconds) unit = u;
  }
  return three_digits(seconds / unit.seconds) + " " + unit.name;
}

std::string number_text(double value) {
  return three_digits(value);
}

std::string counted(Index count, const std::string& unit) {
  return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
}

std::string percent_text(double fraction) {
  return formatted(std::abs(fraction) < 0.1 ? "%.1f%%" : "%.0f%%", 100 * fraction);
}

}  // namespace bptt::bench
