// Numbers as a person reads them: three significant digits and a unit that fits.
#pragma once

#include <optional>
#include <string>

#include "impls/api/index.hpp"
#include "reports/ranking.hpp"

namespace bptt::report {

std::string three_digits(double value);  ///< "0.0123", "1.23", "123", "12300"
std::string duration(double seconds);    ///< "1.23 ms"
std::string bytes(Index count);          ///< "1.5 MiB"
std::string percent(double fraction);    ///< "12 %"
std::string times(double ratio);         ///< "1.23×", near 1 "1.023×"
/// " (1.79–1.90)"
std::string interval_text(double low, double high);
/// "1.84× (1.79–1.90)"; "1.84× (unpaired)" without a round in common.
std::string with_interval(const Ratio&);
/// "1 case", "2 cases"
std::string counted(std::size_t count, const std::string& singular, const std::string& plural);
/// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& words);

/// Stands where there is nothing to tell.
inline const std::string nothing = "–";

template <class T, class F>
std::string or_nothing(const std::optional<T>& value, F format) {
  return value ? format(*value) : nothing;
}

}  // namespace bptt::report
