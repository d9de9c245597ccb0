#include "reports/html.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace bptt::report {
namespace {

constexpr std::size_t colours = 8;  // --series-0 ... of page.css

std::string_view class_of(Text::Style style) {
  switch (style) {
    case Text::Style::plain:
      return "";
    case Text::Style::backend:
      return "backend";
    case Text::Style::best:
      return "best";
    case Text::Style::quiet:
      return "quiet";
    case Text::Style::alarm:
      return "alarm";
  }
  return "";
}

std::string cell(const std::string& tag, const std::string& attributes, const std::string& inner) {
  return '<' + tag + attributes + '>' + inner + "</" + tag + '>';
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string escape_json_for_script(const Json& json) {
  std::string escaped;
  for (const char c : json.dump()) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string Html::series_class(const std::string& backend) const {
  const auto found = std::find(backends_.begin(), backends_.end(), backend);
  if (found == backends_.end()) return "";
  const auto place = static_cast<std::size_t>(found - backends_.begin());
  return "s" + std::to_string(place % colours);
}

std::string Html::words(const Words& words) const {
  std::string html;
  for (const Text& part : words.parts) {
    std::string classes(class_of(part.style));
    if (part.style == Text::Style::backend) classes += ' ' + series_class(part.text);
    const std::string text = escape_html(part.text);
    html += classes.empty() ? text : cell("span", " class=\"" + classes + '"', text);
  }
  return html;
}

std::string Html::table(const Table& table) const {
  std::string html = "<div class=\"scroll\" tabindex=\"0\"><table>";
  if (!table.caption.empty()) html += cell("caption", "", escape_html(table.caption));
  html += "<thead><tr>";
  for (const TableColumn& column : table.columns) {
    html += cell("th",
                 std::string(" scope=\"col\"") + (column.number ? " class=\"number\"" : "") +
                     (column.selectable ? " data-selectable=\"\"" : ""),
                 escape_html(column.heading));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      html += cell("td", table.columns[i].number ? " class=\"number\"" : "", words(row[i]));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string json_html(const Json& json) {
  const auto structured = [](const Json& value) { return value.is_structured(); };
  if (!structured(json) ||
      (json.is_array() && std::none_of(json.begin(), json.end(), structured))) {
    return escape_html(one_line(json));
  }
  if (json.is_object()) {
    std::string html = "<dl>";
    for (const auto& [key, value] : json.items()) {
      html += cell("dt", "", escape_html(key)) + cell("dd", "", json_html(value));
    }
    return html + "</dl>";
  }
  std::string html = "<ul>";
  for (const Json& value : json) html += cell("li", "", json_html(value));
  return html + "</ul>";
}

std::string fill(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string filled;
  std::set<std::string> used;
  for (std::size_t at = 0;;) {
    const std::size_t begin = text.find("{{", at);
    filled += text.substr(at, begin - at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = text.find("}}", begin);
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const auto value = values.find(name);
    if (value == values.end()) throw std::logic_error("template: no value for {{" + name + "}}");
    filled += value->second;
    used.insert(name);
    at = end + 2;
  }
  if (used.size() != values.size()) throw std::logic_error("template: a value has no place");
  return filled;
}

}  // namespace bptt::report
