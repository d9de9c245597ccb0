// A fuzz run: trials drawn from a seed, each on every backend; failures are shrunk.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "verify/fuzz/judge.hpp"

namespace bptt::verify::fuzz {

struct Settings {
  std::vector<const Backend*> backends;
  std::uint64_t cases = 100;
  std::uint64_t seed = 1;
  Restrictions only;
  /// Failing cases of one backend that are shrunk; further ones are reported as they were drawn.
  int most_shrunk = 3;
  int most_shrink_runs = 400;
  /// Failing cases of one backend that are kept; further ones are counted.
  int most_kept = 20;
};

/// What one backend did in one precision.
struct Tally {
  std::string backend;
  Dtype dtype = Dtype::f32;
  Counts counts;  ///< of results: one for each thread count of a case
  Result worst;   ///< the result with the largest error
};

struct Outcome {
  std::uint64_t cases = 0;  ///< done
  bool interrupted = false;
  double seconds = 0;
  std::vector<Tally> tallies;
  std::map<std::string, Index> refusals;  ///< "naive: it runs on one thread" and how often
  std::vector<Result> failures;           ///< shrunk, with the commands that reproduce them
  std::vector<std::string> drawn_as;      ///< what each of them was before it was shrunk
};

/// Called before each case: how many are done, how many failed.
using FuzzProgress = std::function<void(std::uint64_t done, std::size_t failed)>;

/// References are made by threads of their own; backends run on the caller's, one at a time.
/// `stop` is asked before each case.
Outcome run_fuzz(const Settings&, const FuzzProgress&, const std::function<bool()>& stop);

/// One result for each backend and precision, and one for each failure: what reports are made of.
std::vector<Result> results_of(const Settings&, const Outcome&);

/// One case by its description, with the effort that a verdict takes.
std::vector<Result> run_case(const Description&, const std::vector<const Backend*>&,
                             const std::vector<Dtype>&, const std::vector<int>& threads,
                             const std::vector<Recompute>&, std::uint64_t seed);

}  // namespace bptt::verify::fuzz
