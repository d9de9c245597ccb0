#include "reports/report.hpp"

#include <algorithm>

#include "impls/api/error.hpp"
#include "reports/format.hpp"
#include "reports/lengths.hpp"
#include "reports/ranking.hpp"

namespace bptt::report {
namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string joined(const std::set<std::string>& names) {
  return quoted_list({names.begin(), names.end()});
}

}  // namespace

Report report_of(Study study, std::string baseline, std::vector<EnvironmentFile> environments) {
  const auto& names = study.backends;
  const auto known = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (baseline.empty() && !names.empty()) baseline = known("naive") ? "naive" : names.front();
  if (!names.empty() && !known(baseline)) {
    throw Error(ErrorKind::usage, "--baseline: expected one of the backends in the results (" +
                                      quoted_list(names) + "); got '" + baseline + "'");
  }
  return {std::move(study), std::move(baseline), std::move(environments)};
}

std::string title(const Report& report) {
  if (report.is_self_test_only()) return "Would a wrong gradient be caught here?";
  return report.is_flow_only() ? "How do gradients flow here?" : "Which backend is fastest here?";
}

std::vector<std::string_view> measured_phases(const Report& report) {
  std::vector<std::string_view> measured;
  for (const std::string_view phase : all_phases) {
    if (!report.study.of("layer", phase).empty()) measured.push_back(phase);
  }
  return measured;
}

Words verdict(const Report& report, std::string_view phase) {
  const Score s = score(report.study.of("layer", phase));
  Words sentence;
  for (std::size_t i = 0; i < s.wins.size(); ++i) {
    const auto& [backend, count] = s.wins[i];
    if (i > 0) sentence.add(", ");
    sentence.add(backend, Text::Style::backend);
    sentence.add(i == 0 ? " is fastest in " : " in ");
    sentence.add(std::to_string(count), Text::Style::best);
    if (i == 0) sentence.add(" of " + counted(s.cases, "case", "cases"));
  }
  if (s.wins.empty()) {
    sentence.add("No clear winner in " + counted(s.cases, "case", "cases"));
  }
  const auto aside = [&](std::size_t count, const char* what) {
    if (count > 0) sentence.add("; ").add(std::to_string(count) + ' ' + what);
  };
  aside(s.too_close, "too close to call");
  aside(s.too_few, "with too few repetitions to be sure");
  aside(s.alone, "with only one verified backend");
  aside(s.none, "without a verified backend");
  sentence.add(".");
  return sentence;
}

namespace {

/// Calls that took less time than their bound allows; empty where there are none.
std::string faster_than_bound(const Report& report) {
  std::size_t found = 0, all = 0;
  const Measurement* most = nullptr;
  const Case* of_most = nullptr;
  for (const CaseResult& result : report.study.cases) {
    for (const Measurement& m : result.measurements) {
      all += m.bound_seconds ? 1 : 0;
      if (!m.is_faster_than_bound()) continue;
      ++found;
      const double fraction = m.fraction_of_bound().value_or(0);
      if (most != nullptr && fraction <= most->fraction_of_bound().value_or(0)) continue;
      most = &m;
      of_most = &result.key;
    }
  }
  if (found == 0) return "";
  std::string where;
  for (const CaseField& field : case_fields()) {
    if (field.name == "host" || field.name == "workload") continue;
    where += (where.empty() ? "" : ", ") + labelled(field, *of_most);
  }
  std::string text = std::to_string(found) + " of " + counted(all, "measurement", "measurements") +
                     " took less time than the bound allows, by more than noise, most of all " +
                     most->backend + " (" + where + ")";
  if (const auto fraction = most->fraction_of_bound()) {
    text += ", at " + percent(*fraction) + " of the bound's rate";
  }
  text += ". Either the machine was busy when its limits were measured";
  if (const auto rise = rise_of_limits(report.environments)) {
    text += " (they were " + (*rise > 0 ? "up to " + percent(*rise) + " higher" : "no higher") +
            " at the end)";
  }
  return text +
         ", or the bound's model does not hold there, or the call does not do all of its work: do "
         "not take such a time for a fast one without knowing which.";
}

}  // namespace

std::vector<Fact> run_facts(const Report& report) {
  const Study& study = report.study;
  std::vector<Fact> facts = {{"Host", joined(study.hosts)}};
  for (Fact& fact : key_facts(report.environments)) facts.push_back(std::move(fact));
  std::string versions;
  for (const std::string& backend : study.backends) {
    const auto version = study.versions.find(backend);
    versions += (versions.empty() ? "" : "; ") + backend;
    if (version != study.versions.end()) versions += ": " + joined(version->second);
  }
  facts.push_back({"Backends", versions});
  facts.push_back({"Commit", joined(study.commits)});
  facts.push_back({"Runs", joined(study.run_ids)});
  std::erase_if(facts, [](const Fact& fact) { return fact.value.empty(); });
  return facts;
}

std::vector<std::string> cautions(const Report& report) {
  const Study& study = report.study;
  std::vector<std::string> list;
  if (study.hosts.size() > 1) {
    list.push_back("The results come from " + std::to_string(study.hosts.size()) +
                   " hosts; each is compared with itself only.");
  }
  if (study.commits.size() > 1) {
    list.push_back("The results come from " + std::to_string(study.commits.size()) + " commits (" +
                   joined(study.commits) +
                   "); where a case was measured from several, its figures mix them.");
  }
  for (const EnvironmentFile& file : report.environments) {
    const auto run = file.content.find("run_id");
    if (run != file.content.end() && run->is_string() &&
        study.run_ids.count(run->get<std::string>()) == 0) {
      list.push_back(file.name + " is of run " + run->get<std::string>() +
                     ", of which there are no results here.");
    }
  }
  for (std::string& caution : lengths_cautions(study)) list.push_back(std::move(caution));
  for (std::string& caution : environment_cautions(report.environments)) {
    list.push_back(std::move(caution));
  }
  if (std::string faster = faster_than_bound(report); !faster.empty()) {
    list.push_back(std::move(faster));
  }
  return list;
}

std::vector<std::string> method(const Report& report) {
  std::vector<std::string> sentences;
  if (!report.flow.empty()) sentences = flow_method();
  if (report.is_flow_only() || report.is_self_test_only()) return sentences;
  const std::vector<std::string> timing = {
      "Times are medians of wall-clock repetitions; GFLOP/s are counted operations over that "
      "median. Pointwise work is not counted, backward counts twice forward, train_step is both. "
      "The peak is that of a matrix product of the same dtype on as many threads, measured in the "
      "same run.",
      "Ratios are paired: the backends of a case are measured in turn, round after round, so each "
      "ratio is the median over n rounds of the two times of that round. Parentheses hold an "
      "interval "
      "for that median from order statistics (the sign test), which covers it with 94 % "
      "probability or more, and assumes no distribution. Intervals are for each pair by itself, "
      "not corrected for the number of comparisons.",
      "A case is too close to call where that interval contains 1 for any other backend, and "
      "unsure with fewer than five rounds in common, which cannot give such an interval.",
      "Only results verified against the reference are ranked, before a backend was timed and "
      "after: what its last timed call left is judged too. What failed or was not verified is "
      "listed apart, whatever its speed.",
      "Speed-up is the time of " + report.baseline +
          " over the time of a backend: above 1 is faster. Where " + report.baseline +
          " was not measured on as many threads, its time on the fewest stands in; that ratio is "
          "unpaired and has no interval.",
  };
  sentences.insert(sentences.begin(), timing.begin(), timing.end());
  const auto phases = measured_phases(report);
  if (std::any_of(phases.begin(), phases.end(), [&](std::string_view phase) {
        return !lengths_families(report, phase).empty();
      })) {
    sentences.emplace_back(
        "With lengths, FLOPs and GFLOP/s are those of the steps that are live. A backend's time "
        "over its own without lengths is a ratio of two medians: these are different cases, whose "
        "rounds nothing pairs.");
  }
  if (!report.study.peers.empty()) {
    sentences.emplace_back(
        "Against the peers: ratios are paired by round as everywhere; where each side runs on its "
        "own best number of threads, nothing pairs them. Means are geometric, with a bootstrap "
        "interval of 95 % from the scatter of the rounds, where every case has five at least: they "
        "are about these cases, not others. "
        "Where ours is the fastest of several, each round counts the time of the one that is the "
        "fastest by all other rounds, so that the choice favours nobody; numbers of threads are "
        "chosen by the medians of all rounds, for both sides. Packing and reordering of weights is "
        "in every time; copies between "
        "the suite's layout of activations and a peer's are not.");
  }
  return sentences;
}

}  // namespace bptt::report
