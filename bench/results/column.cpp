#include "bench/results/column.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace bptt::results {
namespace {

template <class T>
bool parse_whole_text(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

/// Shortest text that reads back as the same value.
template <class T>
std::string to_text(T value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

// A rule prints a field and reads it; `expected()` completes the sentence "expected ...".

struct AnyText {
  static std::string print(const std::string& field) { return field; }
  static bool parse(std::string_view text, std::string& field) {
    field = text;
    return true;
  }
  static std::string expected() { return "text"; }
};

struct SomeText : AnyText {
  static bool parse(std::string_view text, std::string& field) {
    return !text.empty() && AnyText::parse(text, field);
  }
  static std::string expected() { return "a name"; }
};

template <const auto& words>
struct OneOf : AnyText {
  static bool parse(std::string_view text, std::string& field) {
    for (const std::string_view word : words) {
      if (text == word) return AnyText::parse(text, field);
    }
    return false;
  }
  static std::string expected() {
    std::string list = "one of ";
    const char* separator = "";
    for (const std::string_view word : words) {
      list += separator + (word.empty() ? "(empty)" : std::string(word));
      separator = ", ";
    }
    return list;
  }
};

struct SchemaVersion {
  static std::string print(int field) { return to_text(field); }
  static bool parse(std::string_view text, int& field) {
    return parse_whole_text(text, field) && field >= 1 && field <= schema_version;
  }
  static std::string expected() { return "schema version 1 to " + to_text(schema_version); }
};

template <Index least>
struct Whole {
  static std::string print(Index field) { return to_text(field); }
  static bool parse(std::string_view text, Index& field) {
    return parse_whole_text(text, field) && field >= least;
  }
  static std::string expected() { return "a whole number of at least " + to_text(least); }
};

struct AnyNumber {
  static std::string print(double field) { return to_text(field); }
  static bool parse(std::string_view text, double& field) { return parse_whole_text(text, field); }
  static std::string expected() { return "a number"; }
};

struct NotNegative : AnyNumber {
  static bool parse(std::string_view text, double& field) {
    return AnyNumber::parse(text, field) && std::isfinite(field) && field >= 0;
  }
  static std::string expected() { return "a finite number of at least 0"; }
};

struct Positive : AnyNumber {
  static bool parse(std::string_view text, double& field) {
    return AnyNumber::parse(text, field) && std::isfinite(field) && field > 0;
  }
  static std::string expected() { return "a finite number above 0"; }
};

/// An empty cell, or what `Rule` allows.
template <class Rule, class T>
struct Maybe {
  static std::string print(const std::optional<T>& field) {
    return field ? Rule::print(*field) : std::string();
  }
  static bool parse(std::string_view text, std::optional<T>& field) {
    if (text.empty()) return field.reset(), true;
    return Rule::parse(text, field.emplace());
  }
  static std::string expected() { return Rule::expected() + " or an empty cell"; }
};

template <auto member, class Rule>
Column column(std::string_view name, int since = 1) {
  return {name, [](const Row& row) { return Rule::print(row.*member); },
          [](Row& row, std::string_view text) {
            return Rule::parse(text, row.*member) ? std::string() : Rule::expected();
          },
          since};
}

constexpr std::string_view cells[] = {"rnn", "lstm", "gru"};
constexpr std::string_view dtypes[] = {"f32", "f64"};
constexpr std::string_view phases[] = {"forward", "backward", "train_step"};
constexpr std::string_view verdicts[] = {"full", "reduced", "failed", "no", ""};
constexpr std::string_view workloads[] = {"layer", "char-lm"};
constexpr std::string_view origins[] = {"own", "peer", ""};
constexpr std::string_view stacks[] = {"composed", "whole", ""};
constexpr std::string_view paddings[] = {"skipped", "computed", ""};

}  // namespace

const std::vector<Column>& column_table() {
  static const std::vector<Column> table = {
      column<&Row::schema, SchemaVersion>("schema"),
      column<&Row::run_id, SomeText>("run_id"),
      column<&Row::time, AnyText>("time"),
      column<&Row::host, AnyText>("host"),
      column<&Row::commit, AnyText>("commit"),
      column<&Row::backend, SomeText>("backend"),
      column<&Row::backend_version, AnyText>("backend_version"),
      column<&Row::cell, OneOf<cells>>("cell"),
      column<&Row::options, AnyText>("options"),
      column<&Row::dtype, OneOf<dtypes>>("dtype"),
      column<&Row::T, Whole<1>>("T"),
      column<&Row::B, Whole<1>>("B"),
      column<&Row::I, Whole<1>>("I"),
      column<&Row::H, Whole<1>>("H"),
      column<&Row::layers, Whole<1>>("layers"),
      column<&Row::directions, Whole<1>>("directions"),
      column<&Row::threads, Whole<1>>("threads"),
      column<&Row::phase, OneOf<phases>>("phase"),
      column<&Row::repetition, Whole<0>>("repetition"),
      column<&Row::seconds, Maybe<Positive, double>>("seconds"),
      column<&Row::flops, Maybe<NotNegative, double>>("flops"),
      column<&Row::gflops, Maybe<NotNegative, double>>("gflops"),
      column<&Row::peak_gflops, Maybe<Positive, double>>("peak_gflops"),
      column<&Row::fraction_of_peak, Maybe<NotNegative, double>>("fraction_of_peak"),
      column<&Row::workspace_bytes, Maybe<Whole<0>, Index>>("workspace_bytes"),
      column<&Row::peak_rss_bytes, Maybe<Whole<0>, Index>>("peak_rss_bytes"),
      column<&Row::verified, OneOf<verdicts>>("verified"),
      // A wrong result may be infinitely wrong, and a training may diverge: both must be told.
      column<&Row::max_error, Maybe<AnyNumber, double>>("max_error"),
      column<&Row::noise, Maybe<NotNegative, double>>("noise"),
      column<&Row::note, AnyText>("note"),
      column<&Row::workload, OneOf<workloads>>("workload"),
      column<&Row::items_per_second, Maybe<NotNegative, double>>("items_per_second"),
      column<&Row::loss, Maybe<AnyNumber, double>>("loss"),
      column<&Row::origin, OneOf<origins>>("origin", 2),
      column<&Row::reorder_seconds, Maybe<NotNegative, double>>("reorder_seconds", 2),
      column<&Row::excluded_seconds, Maybe<NotNegative, double>>("excluded_seconds", 2),
      column<&Row::bytes, Maybe<NotNegative, double>>("bytes", 2),
      column<&Row::bound_seconds, Maybe<Positive, double>>("bound_seconds", 2),
      column<&Row::fraction_of_bound, Maybe<NotNegative, double>>("fraction_of_bound", 2),
      column<&Row::implementation, AnyText>("implementation", 3),
      column<&Row::stack, OneOf<stacks>>("stack", 3),
      column<&Row::live_steps, Maybe<Whole<0>, Index>>("live_steps", 3),
      column<&Row::padding, OneOf<paddings>>("padding", 3),
  };
  return table;
}

std::size_t width_of(int schema) {
  const auto& table = column_table();
  return static_cast<std::size_t>(std::count_if(
      table.begin(), table.end(), [&](const Column& c) { return c.since <= schema; }));
}

std::string complaint_about(const Row& row) {
  if (row.seconds || refusal_of(row)) return "";
  return "expected a time, or a note that begins with 'refused: ' and says why there is none";
}

}  // namespace bptt::results
