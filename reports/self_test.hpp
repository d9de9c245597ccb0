// The self-test of bptt-verify in a report: which planted faults which checks caught, as sentences
// and tables.
#pragma once

#include <optional>
#include <string>

#include "reports/table.hpp"
#include "verify/self_test/outcome.hpp"

namespace bptt::report {

/// What bptt-verify --self-test --json wrote; nothing: no such section.
using SelfTest = std::optional<verify::self_test::SelfTest>;

/// "All of 438 planted faults were caught by the check that has to, and no check is idle." or not.
Words self_test_verdict(const SelfTest&);
/// A row for each check: how many faults it caught, and those that nothing else catches.
Table self_test_checks(const SelfTest&);
/// A row for each fault: what caught it, and the verdict in each backend.
Table self_test_faults(const SelfTest&);

}  // namespace bptt::report
