// The left part of most tables: the fields in which the cases of the table differ.
#pragma once

#include "reports/case.hpp"
#include "reports/table.hpp"

namespace bptt::report {

/// Begins a table about `cases`: its caption gains what is the same for all of them, its columns
/// are what differs. Rows then begin with cells().
class CaseColumns {
 public:
  CaseColumns(const std::vector<Case>& cases, const std::vector<std::string_view>& apart,
              Table& table);
  std::vector<Words> cells(const Case&) const;

 private:
  std::vector<CaseField> fields_;
};

}  // namespace bptt::report
