#include "reports/format.hpp"

#include <cmath>
#include <cstdio>

namespace bptt::report {
namespace {

std::string fixed(double value, int decimals) {
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return buffer;
}

/// Near 1 the third decimal tells which side of it a ratio is on.
std::string ratio(double value) {
  return value > 0.9 && value < 1.1 ? fixed(value, 3) : three_digits(value);
}

}  // namespace

std::string three_digits(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size < 1e-4 || size >= 1e7) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.2e", value);
    return buffer;
  }
  if (size >= 99.95) return fixed(value, 0);
  // 9.999 rounds to 10.0, not to 10.00.
  for (int decimals = 1;; ++decimals) {
    const double scale = std::pow(10, decimals);
    if (std::round(size * scale) >= 100) return fixed(value, decimals);
  }
}

std::string duration(double seconds) {
  struct Unit {
    double size;
    const char* name;
  };
  static constexpr Unit units[] = {{1, " s"}, {1e-3, " ms"}, {1e-6, " µs"}, {1e-9, " ns"}};
  for (const Unit& unit : units) {
    // 999.6 us reads "1.00 ms".
    if (seconds >= unit.size * 0.9995) return three_digits(seconds / unit.size) + unit.name;
  }
  return three_digits(seconds * 1e9) + " ns";
}

std::string bytes(Index count) {
  static constexpr const char* units[] = {" B", " KiB", " MiB", " GiB"};
  double size = static_cast<double>(count);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < std::size(units)) size /= 1024, ++unit;
  return (unit == 0 ? std::to_string(count) : three_digits(size)) + units[unit];
}

std::string percent(double fraction) {
  const double value = 100 * fraction;
  return (value < 10 ? fixed(value, 1) : fixed(value, 0)) + " %";
}

std::string times(double value) {
  return ratio(value) + "×";
}

std::string interval_text(double low, double high) {
  return " (" + ratio(low) + "–" + ratio(high) + ')';
}

std::string with_interval(const Ratio& paired) {
  if (paired.pairs == 0) return times(paired.value) + " (unpaired)";
  if (paired.pairs == 1) return times(paired.value);
  return times(paired.value) + interval_text(paired.interval.low, paired.interval.high);
}

std::string counted(std::size_t count, const std::string& singular, const std::string& plural) {
  return std::to_string(count) + ' ' + (count == 1 ? singular : plural);
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace bptt::report
