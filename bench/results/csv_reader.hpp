// Reads a results file and believes nothing in it: every cell is checked against its column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/results/row.hpp"

namespace bptt::results {

/// A row and where it stands, for messages of those who check more than a single row can show.
struct ReadRow {
  Row row;
  std::size_t line = 0;  ///< from 1, of the row's first character
};

/// RFC 4180 with LF or CRLF; a UTF-8 byte-order mark and a missing last line end are accepted.
/// Anything else is Error(data), "FILE:LINE: column 'NAME': expected ...; got ...". A file that
/// holds a header only gives no rows.
std::vector<Row> read_csv(const std::string& path);
std::vector<ReadRow> read_csv_with_lines(const std::string& path);

/// The same from text; `name` stands for the file in messages.
std::vector<ReadRow> parse_csv(std::string_view text, const std::string& name);

}  // namespace bptt::results
