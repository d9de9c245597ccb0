#include "verify/textbook/print.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <ostream>

#include "verify/text_table.hpp"

namespace bptt::verify::textbook {
namespace {

std::string verdict_text(const Row& row) {
  const auto verdict = row.verdict();
  return verdict ? to_string(*verdict) : "wrong for some T only";
}

/// A formula as a code span inside a table.
std::string code(const std::string& formula) {
  if (formula.empty()) return "";
  std::string escaped = "`";
  for (const char c : formula) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped + '`';
}

std::string length_heading(std::size_t i) {
  return (i == 0 ? "T=" : "") + std::to_string(lengths[i]);
}

std::vector<Row> rows_of(const std::vector<Row>& rows, char document) {
  std::vector<Row> chosen;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(chosen),
               [&](const Row& row) { return row.document == document; });
  return chosen;
}

std::string heading(const Document& document) {
  return std::string(1, document.letter) + ". " + document.title;
}

}  // namespace

bool is_as_stated(const Row& row) {
  if (row.verdict() != row.claim.expected) return false;
  if (row.oracle_gap && !(*row.oracle_gap <= rounding)) return false;
  return std::all_of(row.errors.begin(), row.errors.end(), [&](const std::optional<double>& e) {
    return !e || *e <= rounding || *e > row.claim.wrong_by;
  });
}

std::string error_text(const std::optional<double>& error) {
  if (!error) return "-";
  if (*error <= rounding) return "0";
  char buffer[32];
  if (*error >= 10) {
    std::snprintf(buffer, sizeof buffer, "%.2gx", *error);
  } else if (*error >= 0.995) {
    std::snprintf(buffer, sizeof buffer, "%.0f%%", 10 * std::round(10 * *error));  // 120%
  } else {
    std::snprintf(buffer, sizeof buffer, "%.2g%%", 100 * *error);
  }
  return buffer;
}

void print_text(std::ostream& out, const std::vector<Row>& rows) {
  out << "Gradient formulas as printed in five documents, against the true gradient: relative "
         "error\nfor T time steps (layers, for feed-forward networks); 0 is exact to rounding.\n";
  double gap = 0;
  for (const Document& document : documents()) {
    out << '\n' << heading(document) << '\n';
    std::vector<std::string> titles = {"formula", "verdict"};
    for (std::size_t i = 0; i < std::size(lengths); ++i) titles.push_back('>' + length_heading(i));
    TextTable table(std::move(titles));
    const std::vector<Row> own = rows_of(rows, document.letter);
    for (const Row& row : own) {
      std::vector<std::string> cells = {row.subject + ": " + row.claim.quantity,
                                        verdict_text(row) + (is_as_stated(row) ? "" : " (!)")};
      for (const auto& error : row.errors) cells.push_back(error_text(error));
      table.add(std::move(cells));
      gap = std::max(gap, row.oracle_gap.value_or(0));
    }
    table.print(out);
    for (const Row& row : own) {
      // "the same with ...": said once, by the row that it refers to.
      if (row.claim.right.empty() || row.claim.right.starts_with("the same")) continue;
      out << "    " << row.subject << ", " << row.claim.quantity
          << "\n      printed: " << row.claim.printed << "\n      right:   " << row.claim.right
          << '\n';
    }
  }
  const auto stated =
      static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), is_as_stated));
  char largest[32];
  std::snprintf(largest, sizeof largest, "%.1e", gap);
  out << "\nTrue gradients: backend naive and complex step differ by " << largest << " at most.\n"
      << stated << " of " << rows.size() << " rows come out as docs/textbook.md has them.\n";
}

std::string markdown(const std::vector<Row>& rows) {
  std::string text;
  for (const Document& document : documents()) {
    text += "### " + heading(document) + "\n\n| network | quantity | as printed | verdict |";
    std::string rule = "| --- | --- | --- | --- |";
    for (std::size_t i = 0; i < std::size(lengths); ++i) {
      text += ' ' + length_heading(i) + " |";
      rule += " ---: |";
    }
    text += " right |\n" + rule + " --- |\n";
    for (const Row& row : rows_of(rows, document.letter)) {
      const bool exact = row.claim.expected == ExactUpTo{};
      const std::string verdict = verdict_text(row);
      text += "| " + row.subject + " | " + code(row.claim.quantity) + " | " +
              code(row.claim.printed) + " | " + (exact ? verdict : "**" + verdict + "**") + " |";
      for (const auto& error : row.errors) text += ' ' + error_text(error) + " |";
      text += (row.claim.right.empty() ? "" : ' ' + code(row.claim.right)) + " |\n";
    }
    text += '\n';
  }
  return text;
}

}  // namespace bptt::verify::textbook
