#include "verify/result.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "impls/api/names.hpp"
#include "impls/program/exit_code.hpp"

namespace bptt::verify {
namespace {

constexpr Named<Verdict> verdicts[] = {{Verdict::pass, "pass"},
                                       {Verdict::fail, "fail"},
                                       {Verdict::inconclusive, "inconclusive"},
                                       {Verdict::refused, "refused"},
                                       {Verdict::error, "error"}};
constexpr Named<CheckKind> kinds[] = {{CheckKind::gradient, "gradient"},
                                      {CheckKind::equality, "equality"},
                                      {CheckKind::golden, "golden"}};

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
  for (std::size_t i = 0; i < got.size(); ++i) {
    absorb(result, compare<T, Wider<T>>(ref.layouts[i], got[i], ref.expected[i], ref.unit[i],
                                        required_resolution<T>()));
  }
}
template void compare_all(const Reference<float>&, const Values<float>&, Result&);
template void compare_all(const Reference<double>&, const Values<double>&, Result&);

void conclude(Result& result) {
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
