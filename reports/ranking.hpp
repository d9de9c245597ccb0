// Who is faster, by how much, and whether the measurements can tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/statistics.hpp"
#include "reports/study.hpp"

namespace bptt::report {

/// How many times as long one backend takes as another on the same case.
struct Ratio {
  double value = 0;   ///< median of the rounds' ratios
  Interval interval;  ///< of that median
  std::size_t pairs = 0;

  enum class Verdict { above, below, too_close, too_few };
  /// Whether the ratio is known to be above or below 1.
  Verdict verdict() const;
};

/// Paired by round: what disturbs a machine disturbs both backends of a round, so their ratio holds
/// where times drift. Without a round in common it is the ratio of medians, pairs = 0, too_few.
Ratio paired_ratio(const Measurement& numerator, const Measurement& denominator);

/// The outcome of one case.
struct Ranking {
  enum class Outcome {
    clear,      ///< `leader` is faster than every other
    too_close,  ///< at least one other may be as fast: all such are in `contenders`
    too_few,    ///< `leader` is ahead, on too few repetitions to be sure
    alone,      ///< no other verified backend was measured
    none,       ///< no verified backend was measured
  };
  Outcome outcome = Outcome::none;
  const Measurement* leader = nullptr;  ///< least median among the verified
  std::vector<const Measurement*> contenders;
  const Measurement* next = nullptr;  ///< the closest follower
  Ratio margin;                       ///< time of `next` over time of `leader`
};

Ranking rank(const CaseResult&);

/// How often each outcome came up, over the cases given.
struct Score {
  std::vector<std::pair<std::string, std::size_t>>
      wins;  ///< most first; backends without are absent
  std::size_t too_close = 0, too_few = 0, alone = 0, none = 0, cases = 0;
};
Score score(const std::vector<const CaseResult*>&);

/// Time of `baseline` over time of `backend`, above 1 where `backend` is faster; nothing where one
/// of the two was not measured, or not verified. A baseline that was not measured on as many
/// threads, as one that has only one, is taken from the same case on the fewest it ran on:
/// unpaired.
std::optional<Ratio> speedup(const Study&, const CaseResult&, const std::string& backend,
                             const std::string& baseline);

}  // namespace bptt::report
