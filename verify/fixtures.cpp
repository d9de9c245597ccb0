#include "verify/fixtures.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace bptt::verify {
namespace {

constexpr CheckKind with_fixtures[] = {CheckKind::gradient, CheckKind::direction,
                                       CheckKind::equality, CheckKind::property, CheckKind::values};

struct Share {
  Index slices = 0, inconclusive = 0;
  const Result* worst = nullptr;

  void add(const Result& result) {
    slices += result.slices;
    inconclusive += result.inconclusive_slices;
    if (!worst || result.inconclusive_slices > worst->inconclusive_slices) worst = &result;
  }
  double value() const { return static_cast<double>(inconclusive) / static_cast<double>(slices); }
  bool is_bad() const { return slices >= least_slices && value() > most_inconclusive; }
};

}  // namespace

std::optional<Result> judge_fixtures(const std::vector<Result>& results, std::uint64_t seed) {
  std::map<std::pair<CheckKind, Dtype>, Share> shares;
  for (const Result& result : results) {
    if (std::ranges::find(with_fixtures, result.kind) == std::end(with_fixtures)) continue;
    shares[{result.kind, result.dtype}].add(result);
  }
  Result result;
  for (const auto& [of, share] : shares) {
    if (!share.is_bad()) continue;
    Finding finding;
    finding.check = "fixtures";
    finding.message = number_text(100 * share.value()) + "% of the slices (" +
                      std::to_string(share.inconclusive) + " of " + std::to_string(share.slices) +
                      ") of " + std::string(name_of(of.first)) + " in " +
                      std::string(name_of(of.second)) + " are inconclusive, more than " +
                      number_text(100 * most_inconclusive) +
                      "%: the inputs are bad, most of all those of " + share.worst->subject;
    result.findings.push_back(finding);
  }
  if (result.findings.empty()) return std::nullopt;
  result.kind = CheckKind::suite;
  result.backend = "all";
  result.subject = "fixtures";
  result.seed = seed;
  conclude(result);
  result.command = "bptt-verify --seed " + std::to_string(seed);
  return result;
}

}  // namespace bptt::verify
