// Rows of words in columns, for a terminal.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace bptt::verify {

class TextTable {
 public:
  /// A title that begins with '>' makes its column flush right.
  explicit TextTable(std::vector<std::string> titles);
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  void print(std::ostream&) const;

 private:
  std::vector<std::string> titles_;
  std::vector<bool> flush_right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bptt::verify
