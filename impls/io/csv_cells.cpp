#include "impls/io/csv_cells.hpp"

#include "impls/api/error.hpp"

namespace bptt::csv {
namespace {

/// Bytes of the UTF-8 sequence that `text` begins with; 0 where it begins with none (overlong
/// forms, surrogates and values above U+10FFFF are none).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return 0;
  }
  const unsigned second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return length;
}

class Splitter {
 public:
  Splitter(std::string_view text, const std::string& file,
           const std::vector<std::string_view>& column_names)
      : text_(text), file_(file), column_names_(column_names) {}

  std::vector<Record> split() {
    std::vector<Record> records;
    while (at_ < text_.size()) records.push_back(record());
    return records;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  bool at(char c) const { return !at_end() && text_[at_] == c; }

  [[noreturn]] void fail(std::size_t line, const std::string& message) const {
    fail_at(file_, line, column_names_, column_, message);
  }

  /// True, and past it, where a line ends here.
  bool line_end() {
    if (at('\r')) {
      if (text_.substr(at_, 2) != "\r\n") fail(line_, "a carriage return without a line feed");
      ++at_;
    }
    if (!at('\n')) return false;
    ++at_;
    ++line_;
    return true;
  }

  Record record() {
    Record record;
    for (column_ = 0;; ++column_) {
      record.cells.push_back(cell());
      if (at(',')) {
        ++at_;
        continue;
      }
      record.ended = line_end();
      if (record.ended || at_end()) return record;
      fail(line_, "text after a closing quote; a quote inside quotes is written twice");
    }
  }

  Cell cell() {
    Cell cell{"", line_};
    if (at('"')) {
      quoted(cell);
    } else {
      while (!at_end() && !at(',') && !at('\n') && !at('\r')) {
        if (at('"')) fail(line_, "a quote inside a cell that does not begin with one");
        character(cell.text);
      }
    }
    return cell;
  }

  void quoted(Cell& cell) {
    for (++at_;; ++at_) {
      while (!at_end() && !at('"')) {
        if (at('\n')) ++line_;
        character(cell.text);
      }
      if (at_end()) fail(cell.line, "the quote that opens this cell is never closed");
      ++at_;
      if (!at('"')) return;
      cell.text += '"';
    }
  }

  void character(std::string& to) {
    const std::size_t length = utf8_length(text_.substr(at_));
    const auto byte = static_cast<unsigned char>(text_[at_]);
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (length == 0 || control) {
      static constexpr char digits[] = "0123456789abcdef";
      fail(line_, std::string("byte 0x") + digits[byte / 16] + digits[byte % 16] +
                      (control ? " is a control character" : " is not UTF-8") +
                      "; is this a CSV file?");
    }
    to += text_.substr(at_, length);
    at_ += length;
  }

  std::string_view text_;
  const std::string& file_;
  const std::vector<std::string_view>& column_names_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 0;
};

}  // namespace

std::vector<Record> split_csv(std::string_view text, const std::string& file,
                              const std::vector<std::string_view>& column_names) {
  return Splitter(text, file, column_names).split();
}

void fail_at(const std::string& file, std::size_t line,
             const std::vector<std::string_view>& column_names, std::size_t column,
             const std::string& message) {
  const std::string which = column < column_names.size()
                                ? '\'' + std::string(column_names[column]) + '\''
                                : std::to_string(column + 1);
  throw Error(ErrorKind::data,
              file + ':' + std::to_string(line) + ": column " + which + ": " + message);
}

}  // namespace bptt::csv
