// The one table of a results file's columns: what each is called, how it is printed, how it is read
// and what it allows. The writer, the reader and columns() all work from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/results/row.hpp"

namespace bptt::results {

struct Column {
  std::string_view name;
  std::string (*print)(const Row&);
  /// Reads `text` into its field. Returns what was expected where `text` is not that, else "".
  std::string (*parse)(Row&, std::string_view text);
  int since = 1;  ///< the first schema version that has it
};

const std::vector<Column>& column_table();

/// How many of the columns, from the first, files of a schema version have.
std::size_t width_of(int schema);

/// What no single column can tell: a row without seconds must say why. Returns the complaint about
/// column 'seconds', or "".
std::string complaint_about(const Row&);

}  // namespace bptt::results
