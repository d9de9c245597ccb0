#include "reports/ranking.hpp"

#include <algorithm>

namespace bptt::report {

namespace {

Ratio unpaired_ratio(const Measurement& numerator, const Measurement& denominator) {
  const double value = numerator.median / denominator.median;
  return {value, {value, value, 0}, 0};
}

}  // namespace

Ratio::Verdict Ratio::verdict() const {
  if (interval.coverage < wanted_coverage) return Verdict::too_few;
  if (interval.contains(1)) return Verdict::too_close;
  return interval.low > 1 ? Verdict::above : Verdict::below;
}

Ratio paired_ratio(const Measurement& numerator, const Measurement& denominator) {
  std::vector<double> ratios;
  for (const auto& [round, seconds] : numerator.seconds) {
    const auto other = denominator.seconds.find(round);
    if (other != denominator.seconds.end()) ratios.push_back(seconds / other->second);
  }
  if (ratios.empty()) return unpaired_ratio(numerator, denominator);
  return {median(ratios), median_interval(ratios), ratios.size()};
}

Ranking rank(const CaseResult& result) {
  using Verdict = Ratio::Verdict;
  Ranking ranking;
  std::vector<const Measurement*> field;
  for (const Measurement& measurement : result.measurements) {
    if (measurement.may_be_ranked()) field.push_back(&measurement);
  }
  if (field.empty()) return ranking;
  ranking.leader = *std::min_element(
      field.begin(), field.end(),
      [](const Measurement* a, const Measurement* b) { return a->median < b->median; });
  ranking.contenders = {ranking.leader};
  for (const Measurement* other : field) {
    if (other == ranking.leader) continue;
    const Ratio margin = paired_ratio(*other, *ranking.leader);
    const Verdict verdict = margin.verdict();
    if (verdict == Verdict::too_close || verdict == Verdict::below) {
      ranking.contenders.push_back(other);
    }
    if (ranking.next == nullptr || margin.value < ranking.margin.value) {
      ranking.next = other;
      ranking.margin = margin;
    }
  }
  const bool too_few = ranking.next != nullptr && ranking.margin.verdict() == Verdict::too_few;
  ranking.outcome = field.size() == 1               ? Ranking::Outcome::alone
                    : ranking.contenders.size() > 1 ? Ranking::Outcome::too_close
                    : too_few                       ? Ranking::Outcome::too_few
                                                    : Ranking::Outcome::clear;
  return ranking;
}

Score score(const std::vector<const CaseResult*>& cases) {
  Score score;
  score.cases = cases.size();
  std::map<std::string, std::size_t> wins;
  for (const CaseResult* result : cases) {
    const Ranking ranking = rank(*result);
    switch (ranking.outcome) {
      case Ranking::Outcome::clear:
        ++wins[ranking.leader->backend];
        break;
      case Ranking::Outcome::too_close:
        ++score.too_close;
        break;
      case Ranking::Outcome::too_few:
        ++score.too_few;
        break;
      case Ranking::Outcome::alone:
        ++score.alone;
        break;
      case Ranking::Outcome::none:
        ++score.none;
        break;
    }
  }
  score.wins.assign(wins.begin(), wins.end());
  std::stable_sort(score.wins.begin(), score.wins.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return score;
}

std::optional<Ratio> speedup(const Study& study, const CaseResult& result,
                             const std::string& backend, const std::string& baseline) {
  const Measurement* fast = result.find(backend);
  const Measurement* slow = result.find(baseline);
  Case fewer = result.key;
  for (fewer.threads = 1; slow == nullptr && fewer.threads < result.key.threads; ++fewer.threads) {
    const CaseResult* other = study.find(fewer);
    if (other != nullptr) slow = other->find(baseline);
  }
  if (slow == nullptr || fast == nullptr) return std::nullopt;
  if (!slow->may_be_ranked() || !fast->may_be_ranked()) return std::nullopt;
  return result.find(baseline) == slow ? paired_ratio(*slow, *fast) : unpaired_ratio(*slow, *fast);
}

}  // namespace bptt::report
