#include "reports/table.hpp"

#include <algorithm>

namespace bptt::report {

bool Words::empty() const {
  return std::all_of(parts.begin(), parts.end(),
                     [](const Text& part) { return part.text.empty(); });
}

void Table::drop_last_column_if_empty() {
  const auto is_empty = [](const std::vector<Words>& row) { return row.back().empty(); };
  if (!std::all_of(rows.begin(), rows.end(), is_empty)) return;
  columns.pop_back();
  for (auto& row : rows) row.pop_back();
}

}  // namespace bptt::report
