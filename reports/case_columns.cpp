#include "reports/case_columns.hpp"

namespace bptt::report {

CaseColumns::CaseColumns(const std::vector<Case>& cases, const std::vector<std::string_view>& apart,
                         Table& table) {
  Layout layout = layout_of(cases, apart);
  fields_ = std::move(layout.columns);
  if (!layout.same.empty())
    table.caption +=
        (table.caption.empty() ? "" : " ") + std::string("All rows: ") + layout.same + ".";
  for (const CaseField& field : fields_) {
    table.columns.push_back({std::string(field.name), field.number, true});
  }
}

std::vector<Words> CaseColumns::cells(const Case& c) const {
  std::vector<Words> cells;
  for (const CaseField& field : fields_) cells.emplace_back(field.text(c));
  return cells;
}

}  // namespace bptt::report
