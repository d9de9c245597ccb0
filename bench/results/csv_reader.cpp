#include "bench/results/csv_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "bench/results/column.hpp"
#include "impls/io/csv_cells.hpp"

namespace bptt::results {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A cell's text for a one-line message.
std::string shown(std::string_view text) {
  constexpr std::size_t most = 40;
  std::string line(text.substr(0, most));
  // Not to cut a UTF-8 sequence in two.
  if (text.size() > most) {
    while (!line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xC0) == 0x80) {
      line.pop_back();
    }
    line += "...";
  }
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return "'" + line + "'";
}

/// Checks and converts the records of one file.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name)
      : name_(name), records_(csv::split_csv(text, name, columns())) {}

  std::vector<ReadRow> rows() const {
    if (records_.empty()) {
      fail(1, 0, "expected a header that begins with 'schema'; the file is empty");
    }
    const int schema = schema_of_file();
    check_header(schema);
    std::vector<ReadRow> rows;
    rows.reserve(records_.size() - 1);
    for (std::size_t i = 1; i < records_.size(); ++i) rows.push_back(row_of(records_[i], schema));
    return rows;
  }

 private:
  [[noreturn]] void fail(std::size_t line, std::size_t column, const std::string& message) const {
    csv::fail_at(name_, line, columns(), column, message);
  }

  /// As the first row has it; a header alone is as wide as one of the versions.
  int schema_of_file() const {
    const auto& header = records_.front().cells;
    if (header.front().text == columns().front() && records_.size() > 1) {
      // A file of another schema differs in its header too; its version is the better explanation.
      return parse_cell(0, records_[1].cells.front()).schema;
    }
    for (int schema = 1; schema < schema_version; ++schema) {
      if (header.size() == width_of(schema)) return schema;
    }
    return schema_version;
  }

  void check_header(int schema) const {
    const auto& header = records_.front().cells;
    const auto& names = columns();
    const std::size_t width = width_of(schema);
    for (std::size_t i = 0; i < std::max(header.size(), width); ++i) {
      if (i >= header.size()) fail(1, i, "expected in the header, which ends before it");
      if (i >= width) {
        fail(header[i].line, i, "no column expected here; got " + shown(header[i].text));
      }
      if (header[i].text != names[i]) {
        fail(header[i].line, i, "expected this name in the header; got " + shown(header[i].text));
      }
    }
  }

  Row parse_cell(std::size_t column, const csv::Cell& cell) const {
    Row scratch;
    parse_cell_into(scratch, column, cell);
    return scratch;
  }

  void parse_cell_into(Row& row, std::size_t column, const csv::Cell& cell) const {
    const std::string expected = column_table()[column].parse(row, cell.text);
    if (!expected.empty()) {
      fail(cell.line, column, "expected " + expected + "; got " + shown(cell.text));
    }
  }

  ReadRow row_of(const csv::Record& record, int schema) const {
    const auto& cells = record.cells;
    const std::size_t width = width_of(schema);
    const std::size_t line = cells.front().line;
    if (cells.size() < width) {
      const std::string count =
          std::to_string(width) + " cells; the line ends after " + std::to_string(cells.size());
      fail(line, cells.size(),
           "expected " + count + (record.ended ? "" : " (the file was cut off here)"));
    }
    if (cells.size() > width) {
      fail(line, width,
           "expected " + std::to_string(width) + " cells; got " + std::to_string(cells.size()));
    }
    ReadRow read{{}, line};
    for (std::size_t i = 0; i < width; ++i) parse_cell_into(read.row, i, cells[i]);
    if (read.row.schema != schema) {
      fail(line, 0,
           "expected schema version " + std::to_string(schema) + " as in the rows before; got " +
               shown(cells.front().text));
    }
    // What the former versions did not know is empty: the row is as one of this version.
    read.row.schema = schema_version;
    const std::string complaint = complaint_about(read.row);
    if (!complaint.empty()) {
      const auto& names = columns();
      const auto seconds = std::find(names.begin(), names.end(), "seconds") - names.begin();
      fail(line, static_cast<std::size_t>(seconds), complaint + "; got " + shown(read.row.note));
    }
    return read;
  }

  const std::string& name_;
  std::vector<csv::Record> records_;
};

/// The system's own reasons ("Is a directory") are worth telling; streams lose them.
std::string contents_of(const std::string& path) {
  const auto fail = [&] {
    throw Error(ErrorKind::data, path + ": cannot read: " + std::generic_category().message(errno));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail();
  std::string text;
  std::array<char, 1 << 16> buffer;
  ssize_t count = 0;
  while ((count = ::read(file, buffer.data(), buffer.size())) != 0) {
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      const int reason = errno;
      ::close(file);
      errno = reason;
      fail();
    }
  }
  ::close(file);
  return text;
}

}  // namespace

std::vector<ReadRow> parse_csv(std::string_view text, const std::string& name) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return Reader(text, name).rows();
}

std::vector<ReadRow> read_csv_with_lines(const std::string& path) {
  return parse_csv(contents_of(path), path);
}

std::vector<Row> read_csv(const std::string& path) {
  std::vector<Row> rows;
  for (ReadRow& read : read_csv_with_lines(path)) rows.push_back(std::move(read.row));
  return rows;
}

}  // namespace bptt::results
