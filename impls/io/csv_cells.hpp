// RFC 4180 syntax only: text into records of cells. What the cells mean is their reader's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bptt::csv {

struct Cell {
  std::string text;      ///< unquoted
  std::size_t line = 0;  ///< from 1, where the cell begins
};

struct Record {
  std::vector<Cell> cells;
  bool ended = true;  ///< by a line end; false for a last line that the file's end cuts short
};

/// Throws Error(data), "FILE:LINE: column 'NAME': ...", for a quote that is not closed or stands
/// where it may not, a carriage return on its own, a control character, or what is not UTF-8.
/// `file` and `column_names` serve these messages only.
std::vector<Record> split_csv(std::string_view text, const std::string& file,
                              const std::vector<std::string_view>& column_names);

/// "FILE:LINE: column 'NAME': MESSAGE"; the column's number, from 1, where it has no name.
[[noreturn]] void fail_at(const std::string& file, std::size_t line,
                          const std::vector<std::string_view>& column_names, std::size_t column,
                          const std::string& message);

}  // namespace bptt::csv
