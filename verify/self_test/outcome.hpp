// What a self-test leaves, and the JSON document that holds it (docs/verification.md has the keys).
// Written by bptt-verify --self-test, read by bptt-report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "impls/api/scalar.hpp"

namespace bptt::verify::self_test {

inline constexpr int schema_version = 1;

/// Of one fault in one backend, all precisions together: the worst of them.
enum class Verdict {
  caught,       ///< by the check that has to, which named what it has to name
  not_planted,  ///< the backend refuses what the fault needs; the reason says what
  misnamed,     ///< by the right check, but with another tensor, time step or gate
  elsewhere,    ///< by other checks only
  survived,
};
std::string_view name_of(Verdict);

/// A fault in a backend.
struct Outcome {
  std::string fault, phase, cell, expected_check;  ///< as in PlantedFault
  std::string backend;
  Verdict verdict = Verdict::caught;
  std::string reason{};                  ///< where it was not caught as it should be
  std::vector<Dtype> dtypes{};           ///< that it was planted in
  std::vector<std::string> caught_by{};  ///< checks, in any precision; in the order of the checks
};

/// A check in the light of all outcomes.
struct CheckOutcome {
  std::string name;
  int expected = 0;                    ///< outcomes in which it had to catch the fault
  int caught = 0;                      ///< outcomes in which it caught one
  std::vector<std::string> only_it{};  ///< faults that would survive in some backend without it
  bool applicable = true;              ///< false: all of its faults are not planted
  bool is_idle() const { return applicable && only_it.empty(); }
};

struct SelfTest {
  std::vector<Outcome> outcomes;     ///< fault by fault, of each the backends
  std::vector<CheckOutcome> checks;  ///< in their order
  /// What is said of honest backends, on the very cases that faults are planted in.
  std::vector<std::string> false_alarms;

  int count(Verdict) const;
  /// No two the same, in their order.
  std::vector<std::string> backends() const;
  /// program::good: every fault caught as it should be, no check idle, no false alarm.
  /// program::nothing_done: nothing was planted. Else program::numerically_wrong.
  int exit_code() const;
};

/// With a final newline.
std::string json_text(const SelfTest&);
/// Throws Error(data) naming `name`, the key and what was expected where the text is not such a
/// document.
SelfTest parse_json(std::string_view text, const std::string& name);
/// The same from a file; one that cannot be read is Error(data), too.
SelfTest read_json(const std::string& path);

}  // namespace bptt::verify::self_test
