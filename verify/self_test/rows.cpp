#include "verify/self_test/rows.hpp"

#include <algorithm>

namespace bptt::verify::self_test {
namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text.empty() ? "-" : text;
}

std::string dtypes_text(const std::vector<Dtype>& dtypes) {
  std::vector<std::string> names;
  for (const Dtype dtype : dtypes) names.emplace_back(bptt::name_of(dtype));
  return joined(names, ",");
}

}  // namespace

std::vector<std::string> fault_titles(const SelfTest& result) {
  std::vector<std::string> titles = {"fault", "phase", "cell", "dtype", "expected", "caught by"};
  for (const std::string& backend : result.backends()) titles.push_back(backend);
  return titles;
}

std::vector<std::vector<std::string>> fault_rows(const SelfTest& result) {
  const std::size_t backends = result.backends().size();
  std::vector<std::vector<std::string>> rows;
  // The backends of a fault follow one another.
  for (std::size_t i = 0; i + backends <= result.outcomes.size(); i += backends) {
    const Outcome& first = result.outcomes[i];
    std::vector<std::string> caught_by, verdicts;
    std::vector<Dtype> dtypes;
    for (std::size_t k = i; k < i + backends; ++k) {
      const Outcome& outcome = result.outcomes[k];
      verdicts.emplace_back(name_of(outcome.verdict));
      if (dtypes.size() < outcome.dtypes.size()) dtypes = outcome.dtypes;
      for (const std::string& check : outcome.caught_by) {
        if (std::find(caught_by.begin(), caught_by.end(), check) == caught_by.end()) {
          caught_by.push_back(check);
        }
      }
    }
    std::vector<std::string> row = {first.fault,          first.phase,
                                    first.cell,           dtypes_text(dtypes),
                                    first.expected_check, joined(caught_by, ", ")};
    row.insert(row.end(), verdicts.begin(), verdicts.end());
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> check_titles() {
  return {"check", ">caught", ">only it", "faults that only it catches"};
}

std::vector<std::vector<std::string>> check_rows(const SelfTest& result) {
  std::vector<std::vector<std::string>> rows;
  for (const CheckOutcome& check : result.checks) {
    const std::string nothing =
        check.applicable ? "IDLE" : "none of its faults can be planted in these backends";
    rows.push_back({check.name, std::to_string(check.caught), std::to_string(check.only_it.size()),
                    check.only_it.empty() ? nothing : joined(check.only_it, "; ")});
  }
  return rows;
}

}  // namespace bptt::verify::self_test
