#include "bench/results/row.hpp"

#include "bench/results/column.hpp"

namespace bptt::results {

const std::vector<std::string_view>& columns() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const Column& column : column_table()) list.push_back(column.name);
    return list;
  }();
  return names;
}

std::string cell_text(const Row& row) {
  return row.options.empty() ? row.cell : row.cell + ':' + row.options;
}

std::optional<std::string> refusal_of(const Row& row) {
  if (row.seconds || !row.note.starts_with(refused_prefix)) return std::nullopt;
  return row.note.substr(refused_prefix.size());
}

}  // namespace bptt::results
