// What was measured, apart from who was measured: rows of equal Case are comparable.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "bench/results/row.hpp"

namespace bptt::report {

struct Case {
  std::string host;  ///< times of different machines are never compared
  std::string workload, cell, dtype;
  Index T = 0, B = 0, I = 0, H = 0;
  Index layers = 1, directions = 1, threads = 1;
  std::string phase;
  auto operator<=>(const Case&) const = default;
};

Case case_of(const results::Row&);

/// A property of a case, for headings, captions and data.
struct CaseField {
  std::string_view name;
  bool number;
  std::string (*text)(const Case&);
};

/// All of them, in reading order.
const std::vector<CaseField>& case_fields();

/// "T=50", "f32": a field where there is no heading above it.
std::string labelled(const CaseField&, const Case&);

/// The fields by which cases differ, and the text of those that are the same for all:
/// "f32, I=128". Fields named in `apart` are in neither; nor is what is ordinary when it does not
/// vary: the host, one layer, one direction. Where I = H for all, that is one field, "I=H".
struct Layout {
  std::vector<CaseField> columns;
  std::string same;
};
Layout layout_of(const std::vector<Case>&, const std::vector<std::string_view>& apart);

}  // namespace bptt::report
