#include "verify/text_table.hpp"

#include <algorithm>
#include <ostream>

namespace bptt::verify {

TextTable::TextTable(std::vector<std::string> titles) : titles_(std::move(titles)) {
  for (std::string& title : titles_) {
    flush_right_.push_back(title.starts_with('>'));
    if (flush_right_.back()) title.erase(0, 1);
  }
}

void TextTable::print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const auto& title : titles_) widths.push_back(title.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = " ";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blanks(widths[i] - cells[i].size(), ' ');
      text += " " + (flush_right_[i] ? blanks + cells[i] : cells[i] + blanks) + " ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  };
  line(titles_);
  for (const auto& row : rows_) line(row);
}

}  // namespace bptt::verify
