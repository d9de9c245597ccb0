// What bptt-verify was asked to do: its flags, read and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "impls/api/backend.hpp"
#include "verify/result.hpp"

namespace bptt::verify {

struct Settings {
  std::vector<const Backend*> backends;
  bool backends_named = false;  ///< one by one, so that each of them has to check something
  /// Its gradient goes through the oracles, where it is among `backends`.
  const Backend* reference = nullptr;
  std::vector<Dtype> dtypes = {Dtype::f32, Dtype::f64};
  std::vector<int> threads = {1};
  bool threads_given = false;
  /// Empty: none everywhere, all of them in the cases that the table marks.
  std::vector<Recompute> recompute;
  std::vector<std::string> cells;  ///< as to_string has them; empty: all
  std::string only;                ///< glob over case names; empty: all
  std::vector<CheckKind> labels;   ///< the checks that run; empty: all
  bool quick = false;
  std::vector<std::string> golden;  ///< files or folders; with these, no cases run
  std::string own_golden;           ///< the suite's own folder of them; empty: none
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> fuzz;  ///< cases drawn at random, in place of those of the table
  std::string case_text;              ///< the one case in words, in their place; empty: none

  std::string textbook;  ///< print the textbook audit in this format; empty: do not
  bool list_cases = false;
  bool strict = false;
  bool verbose = false;
  std::string junit, json, markdown;  ///< paths, "-" for standard output; empty: none
  bool github = false;                ///< annotations of GitHub Actions
  std::string dump;                   ///< folder for the numbers of what fails; empty: none

  /// Whether --label lets checks of this kind run.
  bool runs(CheckKind) const;
  bool writes_to_standard_output() const { return junit == "-" || json == "-" || markdown == "-"; }
  /// Only cases of the table run, not drawn ones, given ones, or files.
  bool runs_table() const { return !fuzz && case_text.empty() && golden.empty(); }
  /// Ways to recompute that a case runs with: those asked for; or else one, or all.
  std::vector<Recompute> recompute_of(bool runs_all) const {
    if (!recompute.empty()) return recompute;
    if (!runs_all) return {Recompute::none};
    return {Recompute::none, Recompute::gates, Recompute::checkpoint};
  }
};

/// Nothing where --help or --version answered. Throws Error(usage), Error(unavailable).
std::optional<Settings> parse_settings(int argc, const char* const* argv);

}  // namespace bptt::verify
