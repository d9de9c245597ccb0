// Every statement of the documents is a row of the audit or a case of bptt-verify: the list at the
// end of docs/textbook.md names rows and cases that exist.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "verify/cases.hpp"
#include "verify/textbook/audit.hpp"

namespace bptt::verify::textbook {
namespace {

struct Statement {
  char document;
  std::string text, rows, cases;
};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::vector<Statement> statements() {
  std::ifstream page(BPTT_SOURCE_DIR "/docs/textbook.md");
  std::vector<Statement> found;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) inside = line == "## What stands where";
    if (!inside || !line.starts_with("| ") || line.starts_with("| ---")) continue;
    std::vector<std::string> cells;
    std::istringstream stream(line.substr(1));
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(trimmed(cell));
    if (cells.front() == "document") continue;
    EXPECT_EQ(cells.size(), 4u) << line;
    cells.resize(4);
    EXPECT_EQ(cells[0].size(), 1u) << line;
    found.push_back({cells[0].front(), cells[1], cells[2], cells[3]});
  }
  return found;
}

/// What stands between backquotes.
std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find('`'); at != std::string::npos;) {
    const std::size_t end = text.find('`', at + 1);
    words.push_back(text.substr(at + 1, end - at - 1));
    at = text.find('`', end + 1);
  }
  return words;
}

TEST(Coverage, EveryPatternNamesACase) {
  std::vector<std::string> names;
  for (const Case& c : all_cases()) names.push_back(c.name);
  int patterns = 0;
  for (const Statement& statement : statements()) {
    for (const std::string& pattern : quoted(statement.cases)) {
      if (pattern.starts_with("bptt-")) continue;  // a program of its own, see below
      ++patterns;
      EXPECT_TRUE(std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return matches_glob(pattern, name);
      })) << pattern;
    }
  }
  EXPECT_GT(patterns, 30);
}

/// What a program says to --help.
std::string help_of(const std::string& program) {
  const std::string command = std::string(BPTT_BIN_DIR) + "/" + program + " --help";
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) return text;
  for (int c = std::getc(pipe.get()); c != EOF; c = std::getc(pipe.get())) {
    text += static_cast<char>(c);
  }
  return text;
}

/// "bptt-bench --workload char-lm": the program knows the flag, and names the value.
TEST(Coverage, EveryProgramNamedKnowsItsFlags) {
  int programs = 0;
  for (const Statement& statement : statements()) {
    for (const std::string& pattern : quoted(statement.cases)) {
      if (!pattern.starts_with("bptt-")) continue;
      ++programs;
      std::istringstream words(pattern);
      std::string program;
      words >> program;
      const std::string help = help_of(program);
      int flags = 0;
      for (std::string word; words >> word; ++flags) {
        EXPECT_NE(help.find(word), std::string::npos) << program << " --help: no " << word;
      }
      EXPECT_GT(flags, 0) << pattern;
    }
  }
  EXPECT_EQ(programs, 2);
}

TEST(Coverage, EveryRowIsListedAndEveryListedRowExists) {
  std::map<char, std::set<std::string>> listed;
  for (const Statement& statement : statements()) {
    EXPECT_FALSE(statement.rows.empty() && statement.cases.empty()) << statement.text;
    std::istringstream stream(statement.rows);
    for (std::string name; std::getline(stream, name, ';');) {
      listed[statement.document].insert(trimmed(name));
    }
  }
  std::set<std::pair<char, std::string>> used;
  for (const Row& row : audit()) {
    bool found = false;
    for (const std::string& name : listed[row.document]) {
      if (!row.subject.starts_with(name)) continue;
      used.insert({row.document, name});
      found = true;
    }
    EXPECT_TRUE(found) << row.name();
  }
  for (const auto& [document, names] : listed) {
    for (const std::string& name : names) {
      EXPECT_EQ(used.count({document, name}), 1u) << document << ": no row of '" << name << "'";
    }
  }
}

}  // namespace
}  // namespace bptt::verify::textbook
