// The checks that the self-test runs on every fault: one table. A check is known by the name that
// its findings have.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "verify/result.hpp"
#include "verify/self_test/planted_fault.hpp"

namespace bptt::verify::self_test {

/// A fault planted in one backend, in one precision.
struct Planted {
  const PlantedFault& fault;
  const Backend& honest;
  Dtype dtype;

  /// A new one for every check: it counts the plans that it makes.
  FaultyBackend backend() const { return FaultyBackend(honest, fault.in_plans); }
  /// With what is wrong around the plans, and in the reference.
  std::shared_ptr<const Subject> subject(std::shared_ptr<const Subject> of) const {
    return needs_own_subject() ? faulty_subject(std::move(of), fault.in_plans, fault.around) : of;
  }
  /// Else fixtures of the case are as good for this fault as for any other.
  bool needs_own_subject() const { return fault.around.is_planted() || fault.is_shared(); }
};

/// What a check has seen.
struct Seen {
  std::vector<Finding> findings;
  std::string refused;  ///< why the backend refused some of its runs; empty: it ran them all

  void add(Seen more);
};

/// What one function of the suite checks, often several things at a time.
struct CheckForSelfTest {
  std::vector<std::string> names;  ///< of its findings
  /// Findings other than those named are errors. Throws Error(unavailable) where the honest backend
  /// refuses.
  std::function<Seen(const Planted&)> run;
};

struct CheckOptions {
  std::uint64_t seed = 1;
  std::string golden;  ///< folder of golden files; empty: that check is left out
};

/// All of them, in the order of every list and table. They keep what references and files they
/// need: one list serves all faults and backends.
std::vector<CheckForSelfTest> checks_for_self_test(const CheckOptions&);

/// In files of their own: those of verify/properties, and those that read golden files.
CheckForSelfTest property_check(const CheckOptions&);
CheckForSelfTest golden_check(const CheckOptions&);

/// Of several results.
Seen seen_in(std::vector<Result>);
/// The findings under the name of the check, whatever they compare by.
Seen seen_as(const std::string& check, Result);

/// The part of a case's name that says what is built of the cell: "plain", "2-layers-lengths".
std::string kind_of(const std::string& case_name);
/// It is a single layer.
bool is_layer(const std::string& case_name);

/// Fixtures by name.
template <class Value>
class Kept {
 public:
  template <class Make>
  const Value& get(const std::string& name, Make make) {
    auto& kept = values_[name];
    if (!kept) kept = make();
    return *kept;
  }

 private:
  std::map<std::string, std::unique_ptr<Value>> values_;
};

}  // namespace bptt::verify::self_test
