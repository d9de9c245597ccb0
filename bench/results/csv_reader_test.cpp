// What the reader refuses, and that it says where.
#include "bench/results/csv_reader.hpp"

#include <random>

#include <gmock/gmock.h>

#include "bench/results/column.hpp"
#include "bench/results/sample_row.hpp"
#include "impls/api/error.hpp"

namespace bptt::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string header(const std::string& end = "\n") {
  std::string line;
  for (const std::string_view name : columns()) line.append(name).push_back(',');
  line.pop_back();
  return line + end;
}

/// The sample row as a line, with the cell of `column` replaced.
std::string line_with(std::string_view column, const std::string& cell,
                      const std::string& end = "\n") {
  std::string line;
  for (const Column& c : column_table()) {
    line.append(c.name == column ? cell : c.print(sample_row())).push_back(',');
  }
  line.pop_back();
  return line + end;
}

std::string sample_line(const std::string& end = "\n") {
  return line_with("", "", end);
}

std::string message_of(const std::string& text) {
  try {
    parse_csv(text, "r.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.what(), Not(HasSubstr("\n"))) << "an error is one line";
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}

/// The message about one bad cell in line 3 of an otherwise good file.
std::string message_about(std::string_view column, const std::string& cell) {
  std::string message = message_of(header() + sample_line() + line_with(column, cell));
  EXPECT_THAT(message, StartsWith("r.csv:3: column '" + std::string(column) + "': expected "));
  EXPECT_THAT(message, HasSubstr("got '" + cell));
  return message;
}

TEST(CsvReader, AcceptsWhatRfc4180Accepts) {
  const auto is_sample = [](const std::string& text) {
    const auto rows = parse_csv(text, "r.csv");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows.front().row, sample_row());
    EXPECT_EQ(rows.front().line, 2u);
  };
  is_sample(header() + sample_line());
  is_sample(header("\r\n") + sample_line("\r\n"));
  is_sample(header() + sample_line(""));
  is_sample("\xEF\xBB\xBF" + header() + sample_line());
  is_sample(header() + line_with("backend", "\"tbb\""));
}

TEST(CsvReader, UnquotesCells) {
  const auto rows =
      parse_csv(header() + line_with("note", "\"a, \"\"b\"\"\nc\"") + sample_line(), "r.csv");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].row.note, "a, \"b\"\nc");
  EXPECT_EQ(rows[1].line, 4u) << "lines inside quotes count";
}

TEST(CsvReader, AHeaderAloneHoldsNoRows) {
  EXPECT_TRUE(parse_csv(header(), "r.csv").empty());
}

TEST(CsvReader, RefusesNumbersThatAreNotNumbers) {
  for (const char* cell : {"1.5x", " 1", "1 ", "+1", "0x10", "abc", "inf", "-inf", "nan", "-1", "0",
                           "1e999", "1e-999", "1,5"}) {
    const bool one_cell = std::string_view(cell).find(',') == std::string_view::npos;
    message_about("seconds", one_cell ? cell : "1;5");
  }
  EXPECT_THAT(message_about("seconds", "-1"), HasSubstr("a finite number above 0"));
  for (const char* cell : {"inf", "nan", "-2"}) {
    message_about("flops", cell);
    message_about("gflops", cell);
    message_about("items_per_second", cell);
  }
}

TEST(CsvReader, RefusesExtentsThatAreNotExtents) {
  for (const char* column : {"T", "B", "I", "H", "layers", "directions", "threads"}) {
    for (const char* cell : {"0", "-1", "", "1.0", "99999999999999999999", "x"}) {
      message_about(column, cell);
    }
  }
  message_about("repetition", "-1");
  message_about("workspace_bytes", "1.5");
}

TEST(CsvReader, RefusesWordsItDoesNotKnow) {
  EXPECT_THAT(message_about("phase", "sideways"), HasSubstr("forward, backward, train_step"));
  message_about("schema", "4");
  message_about("schema", "0");
  message_about("schema", "");
  message_about("dtype", "f16");
  message_about("cell", "mlp");
  message_about("verified", "yes");
  message_about("workload", "");
  message_about("backend", "");
}

TEST(CsvReader, KeepsALossThatDiverged) {
  const auto rows = parse_csv(header() + line_with("loss", "inf"), "r.csv");
  EXPECT_EQ(rows.front().row.loss, std::numeric_limits<double>::infinity());
}

TEST(CsvReader, ARowWithoutSecondsMustSayWhy) {
  EXPECT_THAT(message_of(header() + line_with("seconds", "")),
              StartsWith("r.csv:2: column 'seconds': expected a time, or a note that begins with"));
}

TEST(CsvReader, AnotherSchemaIsNamedBeforeItsHeader) {
  EXPECT_EQ(message_of("schema,other\n7,x\n"),
            "r.csv:2: column 'schema': expected schema version 1 to 3; got '7'");
}

/// A file with the columns of a former version; its row says that it is of `rows_schema`.
std::string former_version(int version, const std::string& rows_schema) {
  std::string names, cells;
  for (const Column& c : column_table()) {
    if (c.since > version) continue;
    names.append(c.name).push_back(',');
    cells.append(c.name == "schema" ? rows_schema : c.print(sample_row())).push_back(',');
  }
  names.back() = cells.back() = '\n';
  return names + cells;
}

void expect_reads(const std::string& text, const Row& expected) {
  const auto rows = parse_csv(text, "r.csv");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.front().row, expected);
  EXPECT_TRUE(parse_csv(text.substr(0, text.find('\n') + 1), "r.csv").empty());
}

TEST(CsvReader, ReadsFormerVersionsAsRowsOfThisOne) {
  Row expected = sample_row();
  expected.implementation.clear();
  expected.stack.clear();
  expected.padding.clear();
  expected.live_steps = std::nullopt;
  expect_reads(former_version(2, "2"), expected);
  expected.origin.clear();
  expected.reorder_seconds = expected.excluded_seconds = expected.bytes = std::nullopt;
  expected.bound_seconds = expected.fraction_of_bound = std::nullopt;
  expect_reads(former_version(1, "1"), expected);
}

TEST(CsvReader, AVersionsColumnsAreItsOwn) {
  EXPECT_EQ(message_of(former_version(1, "2")),
            "r.csv:1: column 'origin': expected in the header, which ends before it");
  EXPECT_EQ(message_of(header() + line_with("schema", "1")),
            "r.csv:1: column 'origin': no column expected here; got 'origin'");
  EXPECT_EQ(message_of(header() + sample_line() + line_with("schema", "1")),
            "r.csv:3: column 'schema': expected schema version 3 as in the rows before; got '1'");
}

TEST(CsvReader, RefusesAWrongHeader) {
  std::string renamed = header();
  renamed.replace(renamed.find("repetition"), 10, "iteration");
  EXPECT_EQ(message_of(renamed + sample_line()),
            "r.csv:1: column 'repetition': expected this name in the header; got 'iteration'");
  EXPECT_EQ(message_of("a,b\n1,2\n"),
            "r.csv:1: column 'schema': expected this name in the header; got 'a'");
  EXPECT_EQ(message_of(header(",more\n")),
            "r.csv:1: column 44: no column expected here; got 'more'");
  EXPECT_EQ(message_of("schema,run_id\n"),
            "r.csv:1: column 'time': expected in the header, which ends before it");
  EXPECT_THAT(message_of(""), HasSubstr("the file is empty"));
  message_of("\n");
}

TEST(CsvReader, RefusesLinesOfAnotherWidth) {
  EXPECT_EQ(message_of(header() + "3,run\n"),
            "r.csv:2: column 'time': expected 43 cells; the line ends after 2");
  EXPECT_EQ(
      message_of(header() + sample_line() + "3,run"),
      "r.csv:3: column 'time': expected 43 cells; the line ends after 2 (the file was cut off "
      "here)");
  EXPECT_EQ(message_of(header() + sample_line(",extra\n")),
            "r.csv:2: column 44: expected 43 cells; got 44");
  message_of(header() + "\n" + sample_line());
}

TEST(CsvReader, RefusesBrokenQuotes) {
  EXPECT_EQ(message_of(header() + sample_line() + line_with("note", "\"open")),
            "r.csv:3: column 'note': the quote that opens this cell is never closed");
  EXPECT_THAT(message_of(header() + line_with("note", "\"a\"b")),
              StartsWith("r.csv:2: column 'note': text after a closing quote"));
  EXPECT_THAT(message_of(header() + line_with("note", "a\"b")),
              StartsWith("r.csv:2: column 'note': a quote inside"));
}

TEST(CsvReader, RefusesWhatIsNotText) {
  EXPECT_EQ(message_of(std::string("\x7f"
                                   "ELF\0\0",
                                   6)),
            "r.csv:1: column 'schema': byte 0x7f is a control character; is this a CSV file?");
  EXPECT_THAT(message_of(header() + line_with("host", std::string("a\0b", 3))),
              StartsWith("r.csv:2: column 'host': byte 0x00 is a control character"));
  EXPECT_THAT(message_of(header() + line_with("host", "a\rb")), HasSubstr("carriage return"));
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    EXPECT_THAT(message_of(header() + line_with("host", bad)), HasSubstr("is not UTF-8"));
  }
  const std::string good = "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8d\xb0";
  EXPECT_EQ(parse_csv(header() + line_with("host", good), "r.csv").front().row.host, good);
}

TEST(CsvReader, MessagesStayOneReadableLine) {
  const std::string message =
      message_of(header() + line_with("T", "\"1\n" + std::string(500, '9') + "\""));
  EXPECT_LT(message.size(), 200u);
}

TEST(CsvReader, DamagedFilesAreReadOrRefusedButNeverWorse) {
  const std::string good = header() + sample_line() + line_with("note", "\"a,\"\"b\"\"\"");
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string text = good.substr(0, random() % (good.size() + 1));
    for (int k = 0; k < 2 && !text.empty(); ++k) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    try {
      EXPECT_LE(parse_csv(text, "r.csv").size(), 2u);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), StartsWith("r.csv:"));
    }
  }
}

TEST(CsvReader, AFileThatCannotBeReadIsNamed) {
  const auto message = [](const char* path) {
    try {
      read_csv(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message("/nowhere/r.csv"), "/nowhere/r.csv: cannot read: No such file or directory");
  EXPECT_EQ(message("/"), "/: cannot read: Is a directory");
}

}  // namespace
}  // namespace bptt::results
