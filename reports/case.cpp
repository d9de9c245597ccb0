#include "reports/case.hpp"

#include <algorithm>
#include <type_traits>

namespace bptt::report {
namespace {

template <auto member>
CaseField field(std::string_view name) {
  if constexpr (std::is_same_v<std::decay_t<decltype(Case().*member)>, Index>) {
    return {name, true, [](const Case& c) { return std::to_string(c.*member); }};
  } else {
    return {name, false, [](const Case& c) { return c.*member; }};
  }
}

}  // namespace

Case case_of(const results::Row& row) {
  return {row.host, row.workload, cell_text(row), row.dtype,      row.T,       row.B,
          row.I,    row.H,        row.layers,     row.directions, row.threads, row.phase};
}

const std::vector<CaseField>& case_fields() {
  static const std::vector<CaseField> fields = {
      field<&Case::host>("host"),
      field<&Case::workload>("workload"),
      field<&Case::cell>("cell"),
      field<&Case::dtype>("dtype"),
      field<&Case::T>("T"),
      field<&Case::B>("B"),
      field<&Case::I>("I"),
      field<&Case::H>("H"),
      field<&Case::layers>("layers"),
      field<&Case::directions>("directions"),
      field<&Case::threads>("threads"),
      field<&Case::phase>("phase"),
  };
  return fields;
}

std::string labelled(const CaseField& field, const Case& c) {
  return field.number ? std::string(field.name) + '=' + field.text(c) : field.text(c);
}

Layout layout_of(const std::vector<Case>& cases, const std::vector<std::string_view>& apart) {
  Layout layout;
  if (cases.empty()) return layout;
  const bool square =
      std::all_of(cases.begin(), cases.end(), [](const Case& c) { return c.I == c.H; });
  for (CaseField field : case_fields()) {
    if (square && field.name == "I") continue;
    if (square && field.name == "H") field.name = "I=H";
    if (std::find(apart.begin(), apart.end(), field.name) != apart.end()) continue;
    const std::string first = field.text(cases.front());
    const bool varies = std::any_of(cases.begin(), cases.end(),
                                    [&](const Case& c) { return field.text(c) != first; });
    // One host is named at the head of the report, and a single layer in one direction is no news.
    const bool ordinary = field.name == "host" ||
                          ((field.name == "layers" || field.name == "directions") && first == "1");
    if (varies) {
      layout.columns.push_back(field);
    } else if (!ordinary) {
      layout.same += (layout.same.empty() ? "" : ", ") + labelled(field, cases.front());
    }
  }
  return layout;
}

}  // namespace bptt::report
