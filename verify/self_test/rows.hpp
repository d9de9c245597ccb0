// The two tables of a self-test as words: fault x check, and check x faults. For the terminal,
// Markdown and bptt-report's page alike.
#pragma once

#include <string>
#include <vector>

#include "verify/self_test/outcome.hpp"

namespace bptt::verify::self_test {

/// A row for each fault; after what it is, a column for each backend with the verdict there.
std::vector<std::string> fault_titles(const SelfTest&);
std::vector<std::vector<std::string>> fault_rows(const SelfTest&);

/// A row for each check: how many faults it caught, and those that nothing else catches.
std::vector<std::string> check_titles();
std::vector<std::vector<std::string>> check_rows(const SelfTest&);

}  // namespace bptt::verify::self_test
