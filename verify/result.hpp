// What a check found out: one Result per thing that was run, with a Finding per tensor that is
// wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/tolerance.hpp"

namespace bptt::verify {

enum class Verdict {
  pass,
  fail,
  inconclusive,  ///< the signal lies under the noise
  refused,       ///< the backend does not do it, or the suite cannot express it
  error,         ///< the input is malformed, or cannot be read
};
std::string_view name_of(Verdict);

/// What a result is about.
enum class CheckKind {
  gradient,     ///< analytic gradient against complex step and finite differences
  direction,    ///< the gradient along directions, at a benchmark's extents
  equality,     ///< a backend against naive in the next higher precision, and against itself
  golden,       ///< a backend against a file from another system
  determinism,  ///< a backend's bits over runs, reuse of plans, thread counts
  property,     ///< relations that must hold between a backend's own results
  values,       ///< inputs at the ends of the number range, NaN and Inf among them
  suite,        ///< the run as a whole: whether its inputs were good enough
  fuzz,         ///< as equality, of a case that was drawn at random or given in words
};
std::string_view name_of(CheckKind);
/// Throws Error(usage) that lists what would have been understood.
CheckKind parse_check_kind(std::string_view);
/// "gradient, equality, ..."
std::string check_kind_names();

/// One thing that is wrong.
struct Finding {
  /// "gradient", "direction", "equality", "padding", "no-effect", "final-state", "reuse",
  /// "threads", "error"
  std::string check;
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
  Recompute recompute = Recompute::none;
  int first_threads = 1;  ///< of the run whose bits those of this one are compared with
  std::uint64_t seed = 0;

  Verdict verdict = Verdict::pass;
  std::string reason;                 ///< of refused, inconclusive and error, in words
  ErrorKind error = ErrorKind::data;  ///< of Verdict::error
  Index elements = 0;                 ///< compared
  Index slices = 0, inconclusive_slices = 0;
  Place inconclusive_place;  ///< of the first of them
  double worst = 0;          ///< largest error in units
  Place worst_place;
  double worst_difference = 0;    ///< |got - expected| there
  std::vector<Finding> findings;  ///< empty unless it failed
  /// Results that a golden file does not have, so that they were not compared: "grad.x".
  std::vector<std::string> not_compared;
  /// Of a determinism check: "stable", "thread-dependent", "racy"; else empty.
  std::string stability;
  std::string command;  ///< reproduces this result
};

/// Takes a tensor's numbers into a result: the worst of them, the counts, findings where it failed.
void absorb(Result&, const TensorError&);

/// Compares every result with its reference, and takes the numbers in.
template <Real T>
void compare_all(const Reference<T>&, const Values<T>& got, Result&);

/// Sets the verdict from what the result holds. A result with no conclusive slice, or with
/// findings, never passes. Puts the findings in the order of the computation: the first of them
/// names the tensor that diverged first.
void conclude(Result&);

struct Counts {
  Index results = 0, pass = 0, fail = 0, inconclusive = 0, refused = 0, errors = 0;
  int error_exit = 0;  ///< the exit code that the first error asks for
  Index elements = 0, slices = 0, inconclusive_slices = 0;
  double worst = 0;
  Index& of(Verdict);
  void add(const Counts&);
};
Counts count(const std::vector<Result>&);

/// The exit code that the results ask for (impls/program/exit_code.hpp).
int exit_code_of(const Counts&, bool strict);

/// "3.25", "1.2e-07", "nan"
std::string number_text(double, int digits = 3);
/// With all digits a double has.
std::string exact_text(double);

}  // namespace bptt::verify
