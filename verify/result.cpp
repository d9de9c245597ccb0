#include "verify/result.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "impls/api/names.hpp"
#include "impls/program/exit_code.hpp"
#include "verify/comparison.hpp"

namespace bptt::verify {
namespace {

constexpr Named<Verdict> verdicts[] = {{Verdict::pass, "pass"},
                                       {Verdict::fail, "fail"},
                                       {Verdict::inconclusive, "inconclusive"},
                                       {Verdict::refused, "refused"},
                                       {Verdict::error, "error"}};
constexpr Named<CheckKind> kinds[] = {{CheckKind::gradient, "gradient"},
                                      {CheckKind::direction, "direction"},
                                      {CheckKind::equality, "equality"},
                                      {CheckKind::golden, "golden"},
                                      {CheckKind::determinism, "determinism"},
                                      {CheckKind::property, "property"},
                                      {CheckKind::values, "values"},
                                      {CheckKind::suite, "suite"},
                                      {CheckKind::fuzz, "fuzz"}};

/// Layer n of "grad.weight_hh_l2_reverse"; -1 of what belongs to none.
int layer_of(const std::string& tensor) {
  const std::size_t mark = tensor.rfind("_l");
  if (mark == std::string::npos || mark + 2 >= tensor.size()) return -1;
  const char digit = tensor[mark + 2];
  return digit >= '0' && digit <= '9' ? std::atoi(tensor.c_str() + mark + 2) : -1;
}

/// What forward leaves comes first; then what backward does, from the head and the top layer down
/// to the inputs.
int order_of_computation(const std::string& tensor) {
  constexpr int backward = 1, inputs = 1 << 20;
  if (!tensor.starts_with("grad.")) return 0;
  if (tensor.find("head.") != std::string::npos) return backward;
  const int layer = layer_of(tensor);
  return layer < 0 ? inputs : inputs - 1 - layer;
}

std::string steps_text(const Layout& layout, Index first, Index last) {
  const std::string of = " of " + std::to_string(layout.blocks);
  if (first == last) return "step " + std::to_string(first) + of;
  return "steps " + std::to_string(first) + ".." + std::to_string(last) + of;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  return name_in(verdicts, verdict);
}
std::string_view name_of(CheckKind kind) {
  return name_in(kinds, kind);
}
CheckKind parse_check_kind(std::string_view name) {
  return parse_in(kinds, "--label", name);
}
std::string check_kind_names() {
  return names_in(kinds);
}

void absorb(Result& result, const TensorError& tensor) {
  result.elements += tensor.elements;
  result.slices += tensor.slices;
  if (result.inconclusive_slices == 0) result.inconclusive_place = tensor.inconclusive_place;
  result.inconclusive_slices += tensor.inconclusive_slices;
  if (tensor.elements > 0 && (result.worst_place.index < 0 || tensor.worst > result.worst)) {
    result.worst = tensor.worst;
    result.worst_place = tensor.place;
    result.worst_difference = std::abs(tensor.got - tensor.expected);
  }
  if (tensor.wrong > 0) {
    Finding finding{"equality",   tensor.place, tensor.got, tensor.expected,
                    tensor.worst, tensor.unit,  "",         ""};
    finding.message = std::to_string(tensor.wrong) + " of " + std::to_string(tensor.elements) +
                      " elements are off by more than the limit";
    const Place& first = tensor.first_place;
    if (first.index != tensor.place.index) {
      finding.message += ", the first computed " + to_string(first) + ": got " +
                         exact_text(tensor.first_got) + ", expected " +
                         exact_text(tensor.first_expected);
    }
    if (tensor.first_wrong_time >= 0) {
      finding.time_step =
          steps_text(*tensor.layout, tensor.first_wrong_time, tensor.last_wrong_time);
    }
    result.findings.push_back(std::move(finding));
  }
  if (tensor.nonzero == 0) return;
  const Place& place = tensor.nonzero_place;
  const bool padding = place.time >= 0;
  Finding finding{padding ? "padding" : "no-effect", place, tensor.nonzero_got, 0, 0, 0, "", ""};
  finding.message = std::to_string(tensor.nonzero) +
                    (padding ? " elements beyond their sequence's length are not exactly zero"
                             : " elements of a gate that the cell does not have are not zero");
  finding.time_step = padding ? "step " + std::to_string(place.time) : "no time axis";
  result.findings.push_back(std::move(finding));
}

template <Real T>
void compare_all(const Reference<T>& ref, const Values<T>& got, Result& result) {
  const Expectation<Wider<T>> expectation{
      ref.expected, ref.unit, std::vector<double>(got.size(), required_resolution<T>())};
  compare_values(ref, expectation, got, result);
}
template void compare_all(const Reference<float>&, const Values<float>&, Result&);
template void compare_all(const Reference<double>&, const Values<double>&, Result&);

void conclude(Result& result) {
  std::stable_sort(
      result.findings.begin(), result.findings.end(), [](const Finding& a, const Finding& b) {
        return order_of_computation(a.place.tensor) < order_of_computation(b.place.tensor);
      });
  if (!result.findings.empty()) {
    result.verdict = Verdict::fail;
  } else if (result.inconclusive_slices > 0 || result.slices == 0) {
    result.verdict = Verdict::inconclusive;
    if (result.reason.empty()) {
      result.reason = "the signal is not far enough above the noise in " +
                      std::to_string(result.inconclusive_slices) + " of " +
                      std::to_string(result.slices) + " slices";
      if (result.inconclusive_slices > 0) {
        result.reason += ", the first at " + to_string(result.inconclusive_place);
      }
    }
  } else {
    result.verdict = Verdict::pass;
  }
}

Index& Counts::of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return pass;
    case Verdict::fail:
      return fail;
    case Verdict::inconclusive:
      return inconclusive;
    case Verdict::refused:
      return refused;
    case Verdict::error:
      return errors;
  }
  return fail;
}

void Counts::add(const Counts& other) {
  for (Index Counts::*member :
       {&Counts::results, &Counts::pass, &Counts::fail, &Counts::inconclusive, &Counts::refused,
        &Counts::errors, &Counts::elements, &Counts::slices, &Counts::inconclusive_slices}) {
    this->*member += other.*member;
  }
  worst = std::max(worst, other.worst);
  if (error_exit == program::good) error_exit = other.error_exit;
}

Counts count(const std::vector<Result>& results) {
  Counts counts;
  for (const Result& result : results) {
    ++counts.results;
    ++counts.of(result.verdict);
    counts.elements += result.elements;
    counts.slices += result.slices;
    counts.inconclusive_slices += result.inconclusive_slices;
    counts.worst = std::max(counts.worst, result.worst);
    if (result.verdict == Verdict::error && counts.error_exit == program::good) {
      counts.error_exit = program::exit_code_of(result.error);
    }
  }
  return counts;
}

int exit_code_of(const Counts& counts, bool strict) {
  if (counts.fail > 0) return program::numerically_wrong;
  if (counts.errors > 0) return counts.error_exit;
  if (counts.pass + counts.inconclusive == 0) return program::nothing_done;
  if (strict && counts.inconclusive > 0) return program::inconclusive;
  return program::good;
}

std::string number_text(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string exact_text(double value) {
  return number_text(value, 17);
}

}  // namespace bptt::verify
