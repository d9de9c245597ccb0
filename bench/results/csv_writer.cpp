#include "bench/results/csv_writer.hpp"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "bench/results/column.hpp"

namespace bptt::results {
namespace {

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text(1, '"');
  for (const char c : cell) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

std::string header_line() {
  std::string line;
  for (const std::string_view name : columns()) line.append(name).push_back(',');
  line.back() = '\n';
  return line;
}

std::string line_of(const Row& row) {
  std::string line;
  Row read_back;
  for (const Column& column : column_table()) {
    const std::string cell = column.print(row);
    const std::string expected = column.parse(read_back, cell);
    if (!expected.empty()) {
      throw std::invalid_argument("results: column '" + std::string(column.name) + "': expected " +
                                  expected + "; got '" + cell + "'");
    }
    line += quoted(cell) + ',';
  }
  const std::string complaint = complaint_about(row);
  if (!complaint.empty()) throw std::invalid_argument("results: column 'seconds': " + complaint);
  line.back() = '\n';
  return line;
}

[[noreturn]] void fail(const std::string& path, const char* action, int reason) {
  throw Error(ErrorKind::unavailable,
              path + ": cannot " + action + ": " + std::generic_category().message(reason));
}

/// True where `path` already holds rows under this header; false where it is absent or empty.
bool check_existing(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) return false;
  const std::string expected = header_line();
  std::string first;
  std::getline(file, first);
  if (first.ends_with('\r')) first.pop_back();
  if (first + '\n' != expected) {
    throw Error(ErrorKind::data, path + ":1: cannot append: expected the header '" +
                                     expected.substr(0, expected.find(',')) + ",...' of schema " +
                                     std::to_string(schema_version) + "; got '" +
                                     first.substr(0, 60) + "'");
  }
  file.clear();
  file.seekg(-1, std::ios::end);
  if (file.get() != '\n') {
    throw Error(ErrorKind::data,
                path + ": cannot append: the last line was cut off (no line end); remove it first");
  }
  return true;
}

}  // namespace

CsvWriter::CsvWriter(std::string path, Mode mode) : path_(std::move(path)) {
  const bool continues = mode == Mode::append && check_existing(path_);
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (continues ? 0 : O_TRUNC);
  file_ = ::open(path_.c_str(), flags, 0666);
  if (file_ < 0) fail(path_, "write the results file", errno);
  if (continues) return;
  try {
    write_text(header_line());
  } catch (...) {
    ::close(file_);
    throw;
  }
}

CsvWriter::~CsvWriter() {
  ::close(file_);
}

void CsvWriter::write(const Row& row) {
  write_text(line_of(row));
}

void CsvWriter::write_text(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file_, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) fail(path_, "write the results file", errno);
    if (written > 0) done += static_cast<std::size_t>(written);
  }
}

}  // namespace bptt::results
