// A table before it is Markdown or HTML: both outputs are made from the same one, so that they
// cannot tell different things.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bptt::report {

struct Text {
  enum class Style {
    plain,
    backend,  ///< a backend's name: in HTML with its colour
    best,     ///< stands out
    quiet,    ///< an aside
    alarm,    ///< must not be overlooked
  };
  std::string text;
  Style style = Style::plain;
};

/// A cell, or a sentence: words in several styles.
struct Words {
  std::vector<Text> parts;

  Words() = default;
  Words(const char* text) : parts{{text, Text::Style::plain}} {}
  Words(std::string text) : parts{{std::move(text), Text::Style::plain}} {}
  Words(std::string text, Text::Style style) : parts{{std::move(text), style}} {}
  bool empty() const;
  Words& add(std::string text, Text::Style style = Text::Style::plain) {
    parts.push_back({std::move(text), style});
    return *this;
  }
};

struct TableColumn {
  std::string heading;
  bool number = false;      ///< set flush right
  bool selectable = false;  ///< the page offers to show the rows of one value only
};

struct Table {
  std::string caption;
  std::vector<TableColumn> columns;
  std::vector<std::vector<Words>> rows;

  /// For notes, of which there are mostly none.
  void drop_last_column_if_empty();
};

}  // namespace bptt::report
