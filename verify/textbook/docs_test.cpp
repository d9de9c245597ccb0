// docs/textbook.md holds the table that the program prints.
#include <cmath>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "impls/program/exit_code.hpp"
#include "verify/textbook/print.hpp"
#include "verify/textbook/program.hpp"

namespace bptt::verify::textbook {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string page = BPTT_SOURCE_DIR "/docs/textbook.md";

std::string text_of_page() {
  std::ostringstream text;
  text << std::ifstream(page).rdbuf();
  return text.str();
}

/// Lines of the tables of audit rows: those below a heading "### X. ...", up to the next "## ".
std::vector<std::string> table_lines(const std::string& text) {
  std::vector<std::string> lines;
  bool inside = false;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("### ")) inside = true;
    if (line.starts_with("## ")) inside = false;
    if (inside && (line.starts_with("|") || line.starts_with("### "))) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool separator = line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    if (separator) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

/// "16%" and "17%" are the same error, computed by another libm; "0" and "16%" are not.
bool same_error(const std::string& a, const std::string& b) {
  std::size_t a_end = 0, b_end = 0;
  if (a == b) return true;
  try {
    const double x = std::stod(a, &a_end), y = std::stod(b, &b_end);
    return a.substr(a_end) == b.substr(b_end) && std::abs(x - y) <= 0.1 * std::max(x, y);
  } catch (const std::logic_error&) {
    return false;
  }
}

/// Nothing where two lines say the same.
std::string difference(const std::string& committed, const std::string& now) {
  const auto a = cells_of(committed), b = cells_of(now);
  if (a.size() != b.size()) return "committed:\n" + committed + "\nnow:\n" + now;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // "| network | quantity | as printed | verdict | 5 errors | right |"
    const bool is_error = i >= 5 && i < 5 + std::size(lengths);
    if (is_error ? !same_error(a[i], b[i]) : a[i] != b[i]) {
      return "committed:" + a[i] + "\nnow:      " + b[i] + "\nin: " + now;
    }
  }
  return "";
}

TEST(Docs, TheTableIsWhatTheProgramPrints) {
  const auto committed = table_lines(text_of_page());
  const auto now = table_lines(markdown(audit()));
  ASSERT_EQ(committed.size(), now.size())
      << page << ": write it anew with bptt-verify --textbook=markdown";
  for (std::size_t i = 0; i < now.size(); ++i) EXPECT_EQ(difference(committed[i], now[i]), "");
}

TEST(Docs, AChangedVerdictIsADifference) {
  const std::string now = "| LSTM | `dV` | `p` | holds | 0 | 0 | 16% | 0 | - | |";
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = now;
    return difference(changed.replace(changed.find(from), from.size(), to), now);
  };
  EXPECT_EQ(difference(now, now), "");
  EXPECT_EQ(with("16%", "17%"), "") << "rounding of the error itself";
  EXPECT_NE(with("16%", "26%"), "");
  EXPECT_NE(with("16%", "0"), "");
  EXPECT_NE(with("holds", "wrong"), "");
  EXPECT_NE(with("`p`", "`q`"), "");
  EXPECT_NE(with("| 0 | 0 |", "| 0 |"), "");
}

TEST(Program, PrintsEveryRowAndSaysThatAllIsAsStated) {
  std::ostringstream out;
  EXPECT_EQ(run_audit("text", out), program::good);
  const std::string rows = std::to_string(audit().size());
  EXPECT_THAT(out.str(), AllOf(HasSubstr("B. Recurrent Neural Networks"),
                               HasSubstr("GRU as printed, with W_c r: dE/da(t)"),
                               HasSubstr("holds for T <= 2"), HasSubstr(rows + " of " + rows)));
}

TEST(Program, AnotherFormatIsBadUsage) {
  std::ostringstream out;
  try {
    run_audit("html", out);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("text, markdown; got 'html'"));
  }
}

}  // namespace
}  // namespace bptt::verify::textbook
