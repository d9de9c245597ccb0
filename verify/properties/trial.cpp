#include "verify/properties/trial.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bptt::verify {

template <Real T>
Values<T> run_on(const Backend& backend, const Exec& exec, const Subject& subject,
                 const Given& given) {
  const auto model = subject.make<T>(plans_of<T>(backend, exec));
  return run(*model, given);
}
template Values<float> run_on(const Backend&, const Exec&, const Subject&, const Given&);
template Values<double> run_on(const Backend&, const Exec&, const Subject&, const Given&);

std::vector<Layout> given_layouts(const Subject& subject) {
  const auto model = subject.make<double>(naive_plans<double>());
  std::vector<Layout> layouts;
  for (const auto& tensor : given_tensors(*model)) {
    layouts.push_back(layout_of(tensor, false, subject.cell(), 1));
  }
  return layouts;
}

Index find_tensor(const std::vector<Layout>& layouts, std::string_view name) {
  const auto found = std::find_if(layouts.begin(), layouts.end(),
                                  [&](const Layout& layout) { return layout.name == name; });
  return found == layouts.end() ? -1 : found - layouts.begin();
}

template <class Value>
std::vector<Value> take_rows(const Layout& layout, const std::vector<Value>& values,
                             std::span<const Index> rows) {
  if (!layout.batched) return values;
  const int rank = layout.extents.rank();
  const Index batch = layout.extents[rank - 2], width = layout.extents[rank - 1];
  std::vector<Value> taken;
  for (auto block = values.begin(); block != values.end(); block += batch * width) {
    for (const Index row : rows) {
      taken.insert(taken.end(), block + row * width, block + (row + 1) * width);
    }
  }
  return taken;
}

template <class Value>
Values<Value> take_rows(const std::vector<Layout>& layouts, const Values<Value>& values,
                        std::span<const Index> rows) {
  Values<Value> taken;
  for (std::size_t i = 0; i < values.size(); ++i) {
    taken.push_back(take_rows(layouts[i], values[i], rows));
  }
  return taken;
}

#define BPTT_INSTANTIATE(VALUE)                                                      \
  template std::vector<VALUE> take_rows(const Layout&, const std::vector<VALUE>&,    \
                                        std::span<const Index>);                     \
  template Values<VALUE> take_rows(const std::vector<Layout>&, const Values<VALUE>&, \
                                   std::span<const Index>)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

template <Real T>
void Expectation::add(std::size_t i, const std::vector<T>& more,
                      const std::vector<double>& more_units, double factor) {
  for (std::size_t e = 0; e < more.size(); ++e) {
    values[i][e] += factor * static_cast<double>(more[e]);
    units[i][e] = std::hypot(units[i][e], factor * more_units[e]);
  }
}
template void Expectation::add(std::size_t, const std::vector<float>&, const std::vector<double>&,
                               double);
template void Expectation::add(std::size_t, const std::vector<double>&, const std::vector<double>&,
                               double);

Expectation expect(Values<double> values, const Values<double>& units_of_values,
                   const Values<double>& units_of_got) {
  Expectation expected{std::move(values), units_of_got};
  for (std::size_t i = 0; i < units_of_values.size(); ++i) {
    for (std::size_t e = 0; e < units_of_values[i].size(); ++e) {
      expected.units[i][e] = std::hypot(expected.units[i][e], units_of_values[i][e]);
    }
  }
  return expected;
}

template <Real T>
Values<double> widened(const Values<T>& values) {
  Values<double> wide;
  for (const auto& tensor : values) wide.emplace_back(tensor.begin(), tensor.end());
  return wide;
}
template Values<double> widened(const Values<float>&);
template Values<double> widened(const Values<double>&);

namespace {

/// Findings from number `first` on are of `check`.
void claim(const std::string& check, const std::string& message, std::size_t first,
           Result& result) {
  for (std::size_t i = first; i < result.findings.size(); ++i) {
    Finding& finding = result.findings[i];
    finding.check = check;
    finding.message = message + ": " + finding.message;
  }
}

}  // namespace

template <Real T>
void compare_results(const std::string& check, const std::string& message,
                     const std::vector<Layout>& layouts, const Values<T>& got,
                     const Expectation& expected, Result& result) {
  const std::size_t before = result.findings.size();
  for (std::size_t i = 0; i < got.size(); ++i) {
    absorb(result, compare<T, double>(layouts[i], got[i], expected.values[i], expected.units[i],
                                      required_resolution<T>()));
  }
  claim(check, message, before, result);
}
template void compare_results(const std::string&, const std::string&, const std::vector<Layout>&,
                              const Values<float>&, const Expectation&, Result&);
template void compare_results(const std::string&, const std::string&, const std::vector<Layout>&,
                              const Values<double>&, const Expectation&, Result&);

template <Real T>
void compare_with_reference(const std::string& check, const std::string& message,
                            const Trial<T>& trial, const Values<T>& got, Result& result) {
  const std::size_t before = result.findings.size();
  compare_all(trial.ref, got, result);
  claim(check, message, before, result);
}
template void compare_with_reference(const std::string&, const std::string&, const Trial<float>&,
                                     const Values<float>&, Result&);
template void compare_with_reference(const std::string&, const std::string&, const Trial<double>&,
                                     const Values<double>&, Result&);

std::vector<Index> iota(Index n) {
  std::vector<Index> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

}  // namespace bptt::verify
