#include "verify/self_test/self_test.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <optional>
#include <set>

#include "verify/cases.hpp"

namespace bptt::verify::self_test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The finding names what the fault wants named. Time steps are not looked for in every precision.
bool names(const Finding& finding, const PlantedFault& fault) {
  return finding.check == fault.check &&
         (fault.tensor.empty() || finding.place.tensor == fault.tensor) &&
         (fault.gate.empty() || finding.place.gate == fault.gate) &&
         (finding.time_step.empty() || contains(finding.time_step, fault.time_step));
}

std::string text_of(const Finding& finding) {
  return finding.check + ": " + to_string(finding.place) +
         (finding.place.index < 0 ? finding.message : "") +
         (finding.time_step.empty() ? "" : ", " + finding.time_step);
}

std::string expected_text(const PlantedFault& fault) {
  std::string text = fault.check;
  for (const auto& part :
       {fault.tensor, fault.gate.empty() ? "" : "gate " + fault.gate, fault.time_step}) {
    if (!part.empty()) text += (text == fault.check ? ": " : ", ") + part;
  }
  return text;
}

/// Why the fault cannot be planted in this backend and precision; nothing where it can.
std::optional<std::string> why_not(const PlantedFault& fault, const Backend& honest, Dtype dtype) {
  const Case& c = find_case(fault.case_name);
  Exec exec;
  exec.threads = fault.threads.back();
  if (fault.needs_thread_promise && !honest.same_for_all_threads(exec)) {
    return "it promises no bits for other thread counts";
  }
  try {
    dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      c.subject->make<T>(plans_of<T>(honest, exec));
    });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable) throw;
    return error.what();
  }
  return std::nullopt;
}

/// By every check, of the fault in one precision. `refused` is what the check says that has to
/// catch the fault.
Seen run_checks(const std::vector<CheckForSelfTest>& checks, const Planted& planted) {
  Seen all;
  for (const CheckForSelfTest& check : checks) {
    Seen seen;
    try {
      seen = check.run(planted);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
      seen.refused = error.what();
    }
    const auto& names = check.names;
    if (std::find(names.begin(), names.end(), planted.fault.check) == names.end()) {
      seen.refused.clear();
    }
    all.add(std::move(seen));
  }
  return all;
}

/// Takes one precision's findings in.
void judge(const PlantedFault& fault, Dtype dtype, const std::vector<Finding>& findings,
           Outcome& outcome, std::set<std::string>& caught_by) {
  bool right_check = false, named = false;
  std::string found;
  for (const Finding& finding : findings) {
    caught_by.insert(finding.check);
    named = named || names(finding, fault);
    // What the right check says comes first.
    const bool is_right = finding.check == fault.check;
    if (found.empty() || (is_right && !right_check)) found = text_of(finding);
    right_check = right_check || is_right;
  }
  Verdict verdict = Verdict::survived;
  if (named) {
    verdict = Verdict::caught;
  } else if (right_check) {
    verdict = Verdict::misnamed;
  } else if (!findings.empty()) {
    verdict = Verdict::elsewhere;
  }
  if (verdict <= outcome.verdict) return;
  outcome.verdict = verdict;
  outcome.reason = std::string(name_of(dtype)) + ": expected " + expected_text(fault) + "; got " +
                   (found.empty() ? "nothing" : found);
}

Outcome outcome_of(const PlantedFault& fault, const Backend& honest,
                   const std::vector<CheckForSelfTest>& checks) {
  Outcome outcome{fault.name, fault.phase, find_case(fault.case_name).cell, fault.check,
                  std::string(honest.name())};
  if (outcome.cell.empty()) outcome.cell = fault.cell();
  std::set<std::string> caught_by;
  std::string refusal;
  for (const Dtype dtype : fault.dtypes) {
    if (const auto reason = why_not(fault, honest, dtype)) {
      refusal = *reason;
      continue;
    }
    const Seen seen = run_checks(checks, {fault, honest, dtype});
    // The very run in which the fault would have shown may be one that the backend does not do.
    if (seen.findings.empty() && !seen.refused.empty()) {
      refusal = seen.refused;
      continue;
    }
    outcome.dtypes.push_back(dtype);
    judge(fault, dtype, seen.findings, outcome, caught_by);
  }
  if (outcome.dtypes.empty()) {
    outcome.verdict = Verdict::not_planted;
    outcome.reason = refusal;
  }
  for (const CheckForSelfTest& check : checks) {
    for (const std::string& name : check.names) {
      if (caught_by.erase(name) != 0) outcome.caught_by.push_back(name);
    }
  }
  outcome.caught_by.insert(outcome.caught_by.end(), caught_by.begin(), caught_by.end());
  return outcome;
}

/// What all checks say of the honest backend where this fault is planted.
void look_for_false_alarms(const PlantedFault& planted, const Backend& honest,
                           const std::vector<CheckForSelfTest>& checks,
                           std::vector<std::string>& alarms) {
  PlantedFault none = planted;
  none.in_plans = {};
  none.around = {};
  none.spec_seen = {};
  none.time_step.clear();
  for (const Dtype dtype : all_dtypes) {
    if (why_not(none, honest, dtype)) continue;
    for (const Finding& finding : run_checks(checks, {none, honest, dtype}).findings) {
      alarms.push_back(std::string(honest.name()) + " " + std::string(bptt::name_of(dtype)) + " " +
                       none.case_name + ": " + text_of(finding));
    }
  }
}

std::vector<CheckOutcome> check_outcomes(const std::vector<CheckForSelfTest>& checks,
                                         const std::vector<Outcome>& outcomes) {
  std::vector<CheckOutcome> all;
  for (const CheckForSelfTest& check : checks) {
    for (const std::string& name : check.names) {
      CheckOutcome of{name};
      int not_planted = 0;
      for (const Outcome& outcome : outcomes) {
        const auto& by = outcome.caught_by;
        if (outcome.expected_check == name) {
          ++(outcome.verdict == Verdict::not_planted ? not_planted : of.expected);
        }
        if (std::find(by.begin(), by.end(), name) == by.end()) continue;
        ++of.caught;
        const bool known = !of.only_it.empty() && of.only_it.back() == outcome.fault;
        if (by.size() == 1 && !known) of.only_it.push_back(outcome.fault);
      }
      of.applicable = of.expected > 0 || not_planted == 0;
      all.push_back(std::move(of));
    }
  }
  return all;
}

}  // namespace

namespace {

/// What the outcomes of some backends are made of.
struct Lane {
  std::vector<std::vector<Outcome>> by_fault;
  std::vector<std::string> false_alarms;
};

Lane run_lane(const std::vector<PlantedFault>& faults, const std::vector<CheckForSelfTest>& checks,
              std::span<const Backend* const> backends, const Progress& progress) {
  Lane lane;
  std::set<std::string> honest_seen;
  double done = 0;
  for (const PlantedFault& fault : faults) {
    if (progress) progress(done++ / static_cast<double>(faults.size()), fault.name);
    const std::string place = fault.phase + fault.case_name + (fault.recompute ? "recompute" : "");
    const bool is_new = honest_seen.insert(place).second;
    auto& outcomes = lane.by_fault.emplace_back();
    for (const Backend* backend : backends) {
      if (is_new) look_for_false_alarms(fault, *backend, checks, lane.false_alarms);
      outcomes.push_back(outcome_of(fault, *backend, checks));
    }
  }
  return lane;
}

}  // namespace

SelfTest run(const std::vector<PlantedFault>& faults,
             const std::function<std::vector<CheckForSelfTest>()>& make_checks,
             std::span<const Backend* const> backends, const Progress& progress) {
  // What stands on OpenBLAS has to take turns; the first, naive, does not.
  auto first = std::async(std::launch::async,
                          [&] { return run_lane(faults, make_checks(), backends.first(1), {}); });
  const auto checks = make_checks();
  Lane rest = run_lane(faults, checks, backends.subspan(1), progress);
  Lane lane = first.get();
  SelfTest result;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    for (auto* of : {&lane, &rest}) {
      auto& outcomes = of->by_fault[i];
      std::move(outcomes.begin(), outcomes.end(), std::back_inserter(result.outcomes));
    }
  }
  for (auto* of : {&lane, &rest}) {
    auto& alarms = of->false_alarms;
    std::move(alarms.begin(), alarms.end(), std::back_inserter(result.false_alarms));
  }
  result.checks = check_outcomes(checks, result.outcomes);
  return result;
}

}  // namespace bptt::verify::self_test
