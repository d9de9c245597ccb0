#include "impls/program/axis.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace bptt::program {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class AxisParser {
 public:
  AxisParser(std::string_view what, std::string_view text, const AxisLimits& limits)
      : what_(what), text_(text), limits_(limits) {}

  std::vector<Index> parse() {
    for (const std::string& word : parse_words(what_, text_)) {
      const auto colon = word.find(':');
      if (colon == std::string::npos) {
        add(value(word));
      } else {
        range(word, colon);
      }
    }
    return values_;
  }

 private:
  [[noreturn]] void fail(const std::string& expected, std::string_view came) const {
    throw Error(ErrorKind::usage, std::string(what_) + ": expected " + expected + "; got '" +
                                      std::string(came) + "'");
  }

  /// Any whole number of 64 bits; the limits are the caller's to check.
  Index number(std::string_view digits, std::string_view word, const char* expected) const {
    Index number = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (error == std::errc::result_out_of_range) fail("a number of at most 2^63-1", word);
    if (error != std::errc() || stop != end) fail(expected, word);
    return number;
  }

  Index value(std::string_view digits) const {
    const Index v =
        number(digits, digits, "a whole number, or a range such as 16:1024:x2 or 1:8:+1");
    check_limits(v, digits);
    return v;
  }

  void check_limits(Index v, std::string_view word) const {
    if (v < limits_.least) fail("a value of at least " + std::to_string(limits_.least), word);
    if (v > limits_.most) fail("a value of at most " + std::to_string(limits_.most), word);
  }

  void range(std::string_view word, std::size_t first_colon) {
    constexpr const char* form = "a range FIRST:LAST:xFACTOR or FIRST:LAST:+STEP";
    const auto second_colon = word.find(':', first_colon + 1);
    if (second_colon == std::string_view::npos) fail(form, word);
    const std::string_view step_text = word.substr(second_colon + 1);
    if (step_text.empty() || (step_text.front() != 'x' && step_text.front() != '+'))
      fail(form, word);
    const bool multiply = step_text.front() == 'x';
    const Index first = number(word.substr(0, first_colon), word, form);
    const Index last =
        number(word.substr(first_colon + 1, second_colon - first_colon - 1), word, form);
    const Index step = number(step_text.substr(1), word, form);
    check_limits(first, word);
    check_limits(last, word);
    if (last < first) fail("a range whose last value is not below its first", word);
    if (step < (multiply ? 2 : 1))
      fail(multiply ? "a factor of at least 2" : "a step of at least 1", word);
    if (multiply && first == 0) fail("a range with a factor to begin above 0", word);
    for (Index v = first; v <= last;) {
      add(v);
      const bool wrapped =
          multiply ? __builtin_mul_overflow(v, step, &v) : __builtin_add_overflow(v, step, &v);
      if (wrapped) break;
    }
  }

  void add(Index v) {
    if (std::find(values_.begin(), values_.end(), v) != values_.end()) return;
    if (values_.size() == limits_.count) {
      fail("at most " + std::to_string(limits_.count) + " values", text_);
    }
    values_.push_back(v);
  }

  std::string_view what_, text_;
  AxisLimits limits_;
  std::vector<Index> values_;
};

}  // namespace

std::vector<Index> parse_axis(std::string_view what, std::string_view text,
                              const AxisLimits& limits) {
  return AxisParser(what, text, limits).parse();
}

std::vector<std::string> parse_words(std::string_view what, std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(',', begin);
    const std::string_view word = trimmed(text.substr(begin, end - begin));
    if (word.empty()) {
      throw Error(ErrorKind::usage,
                  std::string(what) +
                      ": expected one or more words with a comma between them; got '" +
                      std::string(text) + "'");
    }
    words.emplace_back(word);
    if (end == std::string_view::npos) return words;
    begin = end + 1;
  }
}

}  // namespace bptt::program
