#include "verify/fixtures.hpp"

#include <algorithm>

namespace bptt::verify {
namespace {

constexpr CheckKind with_fixtures[] = {CheckKind::gradient, CheckKind::direction,
                                       CheckKind::equality};

}  // namespace

std::optional<Result> judge_fixtures(const std::vector<Result>& results, std::uint64_t seed) {
  Index slices = 0, inconclusive = 0;
  const Result* worst = nullptr;
  for (const Result& result : results) {
    if (std::ranges::find(with_fixtures, result.kind) == std::end(with_fixtures)) continue;
    slices += result.slices;
    inconclusive += result.inconclusive_slices;
    if (!worst || result.inconclusive_slices > worst->inconclusive_slices) worst = &result;
  }
  const double share = static_cast<double>(inconclusive) / static_cast<double>(slices);
  if (slices < least_slices || share <= most_inconclusive) return std::nullopt;
  Result result;
  result.kind = CheckKind::suite;
  result.backend = "all";
  result.subject = "fixtures";
  result.seed = seed;
  Finding finding;
  finding.check = "fixtures";
  finding.message = number_text(100 * share) + "% of the slices (" + std::to_string(inconclusive) +
                    " of " + std::to_string(slices) + ") are inconclusive, more than " +
                    number_text(100 * most_inconclusive) +
                    "%: the inputs are bad, most of all those of " + worst->subject;
  result.findings.push_back(finding);
  conclude(result);
  result.command = "bptt-verify --seed " + std::to_string(seed);
  return result;
}

}  // namespace bptt::verify
