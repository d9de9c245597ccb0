// What a check found out: one Result per thing that was run, with a Finding per tensor that is
// wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/tolerance.hpp"

namespace bptt::verify {

enum class Verdict { pass, fail, inconclusive, refused };
inline constexpr Verdict all_verdicts[] = {Verdict::pass, Verdict::fail, Verdict::inconclusive,
                                           Verdict::refused};
std::string_view name_of(Verdict);

/// What a result is about.
enum class CheckKind {
  gradient,  ///< analytic gradient against complex step and finite differences
  equality,  ///< a backend against naive in the next higher precision, and against itself
  golden,    ///< a backend against a file from another system
};
std::string_view name_of(CheckKind);

/// One thing that is wrong.
struct Finding {
  std::string
      check;  ///< "equality", "padding", "final-state", "reuse", "threads", "complex-step", ...
  Place place;
  double got = 0, expected = 0;
  double error = 0;     ///< in units; 0 for exact checks, infinite where it is not a number
  double unit = 0;      ///< 0 for exact checks
  std::string message;  ///< what is wrong, in words
  std::string
      time_step;  ///< where in time, in words: "steps 0..12 of 50", "from upstream step 3 on"
};

struct Result {
  CheckKind kind = CheckKind::equality;
  std::string backend;
  std::string cell;
  std::string subject;  ///< the case's name, or the file's path
  Dtype dtype = Dtype::f64;
  int threads = 1;
  int first_threads = 1;  ///< of the run whose bits those of this one are compared with
  std::uint64_t seed = 0;

  Verdict verdict = Verdict::pass;
  std::string reason;  ///< of refused and inconclusive, in words
  Index elements = 0;  ///< compared
  Index slices = 0, inconclusive_slices = 0;
  double worst = 0;  ///< largest error in units
  Place worst_place;
  double worst_difference = 0;    ///< |got - expected| there
  std::vector<Finding> findings;  ///< empty unless it failed
  std::string command;            ///< reproduces this result
};

/// Takes a tensor's numbers into a result: the worst of them, the counts, findings where it failed.
void absorb(Result&, const Spec&, const TensorError&);

/// Sets the verdict from what the result holds. A result with no conclusive slice, or with
/// findings, never passes.
void conclude(Result&);

struct Counts {
  Index results = 0, pass = 0, fail = 0, inconclusive = 0, refused = 0;
  Index elements = 0, slices = 0, inconclusive_slices = 0;
  double worst = 0;
  Index& of(Verdict);
};
Counts count(const std::vector<Result>&);

/// The exit code that the results ask for (impls/program/exit_code.hpp).
int exit_code_of(const Counts&, bool strict);

/// "3.25", "1.2e-07", "nan"
std::string number_text(double, int digits = 3);
/// With all digits a double has.
std::string exact_text(double);

}  // namespace bptt::verify
