// Reading flags that were set: the checks they share, and messages that name the flag.
#pragma once

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "impls/api/error.hpp"
#include "impls/program/axis.hpp"

namespace bptt::bench {

using FlagValues = boost::program_options::variables_map;

/// A message about a flag, as an Error(usage).
[[noreturn]] inline void refuse_flag(const char* flag, const std::string& expected,
                                     const std::string& came) {
  throw Error(ErrorKind::usage,
              std::string("--") + flag + ": expected " + expected + "; got " + came);
}

inline const std::string& text_of(const FlagValues& values, const char* flag) {
  return values[flag].as<std::string>();
}

/// "" where the flag is not set.
inline std::string text_or_none(const FlagValues& values, const char* flag) {
  return values.count(flag) == 0 ? "" : text_of(values, flag);
}

/// A finite number, above 0 or at least 0.
enum class Least { above_zero, zero };
inline double number_of(const FlagValues& values, const char* flag,
                        Least least = Least::above_zero) {
  const double value = values[flag].as<double>();
  const bool fits = least == Least::zero ? value >= 0 : value > 0;
  if (!std::isfinite(value) || !fits) {
    std::ostringstream came;
    came << value;
    refuse_flag(flag, least == Least::zero ? "a number of at least 0" : "a number above 0",
                came.str());
  }
  return value;
}

inline int count_of(const FlagValues& values, const char* flag, int least, int most) {
  const auto value = values[flag].as<long long>();
  if (value < least || value > most) {
    refuse_flag(flag, std::to_string(least) + ".." + std::to_string(most), std::to_string(value));
  }
  return static_cast<int>(value);
}

inline bool parse_switch(const char* flag, const std::string& text) {
  if (text != "on" && text != "off") refuse_flag(flag, "on or off", "'" + text + "'");
  return text == "on";
}

inline bool is_on(const FlagValues& values, const char* flag) {
  return parse_switch(flag, text_of(values, flag));
}

/// The words between commas, understood by `parse`; each value once.
template <class Parse>
auto list_of(const FlagValues& values, const char* flag, Parse parse) {
  std::vector<decltype(parse(std::string()))> list;
  for (const auto& word : program::parse_words(std::string("--") + flag, text_of(values, flag))) {
    const auto value = parse(word);
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
  }
  return list;
}

}  // namespace bptt::bench
