#include "verify/flow/rows.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <tuple>

#include "impls/api/error.hpp"
#include "impls/api/scalar.hpp"
#include "impls/api/spec.hpp"
#include "impls/io/csv_cells.hpp"

namespace bptt::verify::flow {
namespace {

template <class T>
bool parse_number(std::string_view text, T& value) {
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

/// One column: how a row's field is written and read. read() completes "expected ...", and is
/// empty where the text is good.
struct Column {
  std::string_view name;
  std::string (*write)(const Row&);
  std::string (*read)(Row&, std::string_view);
};

template <auto field>
constexpr Column name_column(std::string_view name) {
  return {name, [](const Row& row) { return row.*field; },
          [](Row& row, std::string_view text) -> std::string {
            row.*field = text;
            return text.empty() ? "a name" : "";
          }};
}

template <auto field, int least>
constexpr Column whole_column(std::string_view name) {
  return {name, [](const Row& row) { return to_text(row.*field); },
          [](Row& row, std::string_view text) -> std::string {
            const bool good = parse_number(text, row.*field) && !(row.*field < least);
            return good ? "" : "a whole number of at least " + std::to_string(least);
          }};
}

std::string read_size(double& value, std::string_view text, bool may_overflow) {
  const bool good =
      parse_number(text, value) && value >= 0 && (may_overflow || std::isfinite(value));
  if (good || (may_overflow && text == "nan")) return "";
  return may_overflow ? "a number of at least 0, inf or nan" : "a finite number of at least 0";
}

template <auto field, bool may_overflow>
constexpr Column size_column(std::string_view name) {
  return {
      name, [](const Row& row) { return to_text(row.*field); },
      [](Row& row, std::string_view text) { return read_size(row.*field, text, may_overflow); }};
}

template <auto field>
constexpr Column optional_size_column(std::string_view name) {
  return {name, [](const Row& row) { return row.*field ? to_text(*(row.*field)) : std::string(); },
          [](Row& row, std::string_view text) -> std::string {
            if (text.empty()) return "";
            const std::string expected = read_size((row.*field).emplace(), text, true);
            return expected.empty() ? "" : expected + ", or nothing";
          }};
}

/// Checks a word with its own parser, whose message is for a command line and not for a file.
template <class Parse>
std::string checked(Parse parse, std::string_view text, const char* expected) {
  try {
    parse(text);
    return "";
  } catch (const Error&) {
    return expected;
  }
}

/// The words of column `holds`.
constexpr struct {
  Verdict verdict;
  std::string_view word;
} verdicts[] = {
    {Verdict::holds, "yes"}, {Verdict::violated, "no"}, {Verdict::out_of_range, "out of range"}};

constexpr Column table[] = {
    {"schema", [](const Row&) { return to_text(schema_version); },
     [](Row&, std::string_view text) {
       int version = 0;
       const bool good = parse_number(text, version) && version == schema_version;
       return good ? "" : "schema version " + to_text(schema_version);
     }},
    name_column<&Row::backend>("backend"),
    {"dtype", [](const Row& row) { return row.dtype; },
     [](Row& row, std::string_view text) {
       row.dtype = text;
       return checked(parse_dtype, text, "f32 or f64");
     }},
    {"cell", [](const Row& row) { return row.cell; },
     [](Row& row, std::string_view text) {
       row.cell = text;
       return checked(parse_cell, text, "a cell, as rnn:relu");
     }},
    name_column<&Row::initialisation>("initialisation"),
    whole_column<&Row::T, 1>("T"),
    whole_column<&Row::H, 1>("H"),
    whole_column<&Row::seed, 0>("seed"),
    size_column<&Row::sigma_max, false>("sigma_max"),
    size_column<&Row::spectral_radius, false>("spectral_radius"),
    whole_column<&Row::lag, 1>("lag"),
    size_column<&Row::norm, true>("norm"),
    optional_size_column<&Row::cell_norm>("cell_norm"),
    optional_size_column<&Row::bound>("bound"),
    {"holds",
     [](const Row& row) {
       for (const auto& [verdict, word] : verdicts) {
         if (row.verdict == verdict) return std::string(word);
       }
       return std::string();
     },
     [](Row& row, std::string_view text) -> std::string {
       for (const auto& [verdict, word] : verdicts) {
         if (text == word) row.verdict = verdict;
       }
       return text.empty() || row.verdict ? "" : "yes, no, out of range, or nothing";
     }},
};

std::size_t place_of(std::string_view column) {
  std::size_t place = 0;
  while (table[place].name != column) ++place;
  return place;
}

/// Whatever a single cell cannot show: "expected ..." for the column named, or nothing.
struct Complaint {
  std::string_view column;
  std::string text;
};
std::optional<Complaint> complaint_about(const Row& row) {
  if (row.lag > row.T) {
    return Complaint{"lag", "expected at most T = " + std::to_string(row.T) + "; got " +
                                std::to_string(row.lag)};
  }
  if (row.verdict.has_value() != row.bound.has_value()) {
    return Complaint{"holds", row.bound ? "expected a verdict beside a bound; got nothing"
                                        : "expected nothing without a bound; got a verdict"};
  }
  return std::nullopt;
}

}  // namespace

const std::vector<std::string_view>& columns() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const Column& column : table) list.push_back(column.name);
    return list;
  }();
  return names;
}

std::string csv_text(const std::vector<Row>& rows) {
  std::string text;
  for (const std::string_view name : columns()) text += std::string(name) + ',';
  text.back() = '\n';
  for (const Row& row : rows) {
    for (const Column& column : table) text += column.write(row) + ',';
    text.back() = '\n';
  }
  return text;
}

std::vector<Row> parse_csv(std::string_view text, const std::string& name) {
  const std::vector<csv::Record> records = csv::split_csv(text, name, columns());
  const auto fail = [&](std::size_t line, std::size_t column, const std::string& message) {
    csv::fail_at(name, line, columns(), column, message);
  };
  const std::size_t width = columns().size();
  if (records.empty()) fail(1, 0, "expected a header that begins with 'schema'; the file is empty");
  std::vector<Row> rows;
  std::map<std::tuple<std::string, std::string, std::string, std::string, Index, Index,
                      std::uint64_t, Index>,
           std::size_t>
      seen;
  for (const csv::Record& record : records) {
    const auto& cells = record.cells;
    const std::size_t line = cells.front().line;
    const bool header = &record == &records.front();
    if (cells.size() != width) {
      fail(line, std::min(cells.size(), width),
           "expected " + std::to_string(width) + " cells; got " + std::to_string(cells.size()));
    }
    Row row;
    for (std::size_t i = 0; i < width; ++i) {
      const std::string& got = cells[i].text;
      const std::string expected = !header                ? table[i].read(row, got)
                                   : got == table[i].name ? ""
                                                          : "this name in the header";
      if (!expected.empty()) {
        fail(cells[i].line, i, "expected " + expected + "; got '" + got.substr(0, 40) + "'");
      }
    }
    if (header) continue;
    if (const auto complaint = complaint_about(row)) {
      fail(line, place_of(complaint->column), complaint->text);
    }
    const auto [first, is_new] = seen.insert(
        {{row.backend, row.dtype, row.cell, row.initialisation, row.T, row.H, row.seed, row.lag},
         line});
    if (!is_new) {
      fail(line, place_of("lag"),
           "expected each lag of a network once; got lag " + std::to_string(row.lag) +
               " again, after line " + std::to_string(first->second));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> read_csv(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // A folder opens, and fails to be read.
  if (file && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (!file.is_open() || file.bad() || text.bad() || (text.str().empty() && errno != 0)) {
    throw Error(ErrorKind::data, path + ": cannot read: " + std::generic_category().message(errno));
  }
  return parse_csv(text.str(), path);
}

}  // namespace bptt::verify::flow
