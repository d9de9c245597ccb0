// The cases: every cell with its options, alone, in stacks and in architectures, in the shapes and
// variants at which backends go wrong. One list; each case runs as gradient check (where it is
// small), as equality check of every backend and as determinism check.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "verify/subjects.hpp"

namespace bptt::verify {

struct Case {
  std::string name;  ///< "lstm/plain/T7-B3-I5-H4", "many-to-one/gru/plain/T5-B3-I2-H4"
  std::string cell;  ///< of its recurrent layers, as to_string has it; "" where it has none
  std::shared_ptr<const Subject> subject;
  bool small = false;      ///< every element goes through the oracles
  bool quick = false;      ///< part of --quick
  bool recompute = false;  ///< runs with every Recompute, not with none alone
  double work = 1;         ///< what it costs, roughly
};

/// In the order of every list and table.
const std::vector<Case>& all_cases();

/// Throws Error(usage) where there is none of the name.
const Case& find_case(std::string_view name);

/// One layer, as the table has it. For tests.
Case layer_case(std::string_view cell, const Shape&, Variant);

/// What inputs are drawn from: the run's seed and the case's name, so that a case alone gets the
/// same inputs as among others.
std::uint64_t seed_of(const Case&, std::uint64_t seed);

/// `*` stands for any run of characters, `?` for any one.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace bptt::verify
