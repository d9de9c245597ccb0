#include "bench/char_lm/judgement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "bench/statistics.hpp"
#include "bench/table.hpp"

namespace bptt::bench {
namespace {

std::string text_of(const char* format, double value) {
  if (std::isnan(value)) return "nan";  // without the sign that printf gives some
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

Judgement judge_one(Student& s, const std::optional<CurveBound>& bound,
                    const JudgeOptions& options) {
  if (s.losses.empty()) return Judgement::sound;
  const Fall fall = fall_of(s.losses);
  const auto off = bound ? first_disagreement(s.losses, s.c.dtype, *bound) : std::nullopt;
  const auto odd = std::find_if(s.losses.begin(), s.losses.end(),
                                [](double loss) { return !std::isfinite(loss); });
  if (off) {
    s.verdict.verified = "failed";
    s.complaint = "loss disagrees with the reference from step " + std::to_string(off->step) +
                  ": " + text_of("%.9g", off->loss) + " instead of " +
                  text_of("%.9g", off->expected) + " +- " + text_of("%.2g", off->allowed);
  } else if (odd != s.losses.end()) {
    s.complaint = "the training diverged: loss " + text_of("%g", *odd) + " at step " +
                  std::to_string(odd - s.losses.begin());
  } else if (!options.interrupted && !options.loaded && !fall.fell()) {
    // The curve is the reference's: the settings do not train, whoever computes.
    s.complaint = "loss did not fall enough: " + text_of("%.4g", fall.first) + " at first, " +
                  text_of("%.4g", fall.last) + " at last";
  }
  if (s.complaint.empty()) return Judgement::sound;
  s.verdict.note = s.complaint;
  return off ? Judgement::wrong : Judgement::inconclusive;
}

}  // namespace

Judgement judge(std::vector<Student>& students, const std::optional<CurveBound>& bound,
                const JudgeOptions& options) {
  auto worst = Judgement::sound;
  for (Student& s : students) worst = std::max(worst, judge_one(s, bound, options));
  return worst;
}

std::string chaos_of(const CurveBound& bound) {
  if (bound.comparable_steps() == bound.steps()) return "";
  const std::string begin = "from step " + std::to_string(bound.comparable_steps());
  if (bound.diverged()) {
    return begin +
           " on the reference's loss is not finite: the training diverged, and curves are not "
           "compared there (a lower --learning-rate helps)";
  }
  return begin + " on rounding alone moves the loss by more than " +
         percent_text(CurveBound::chaos) +
         ": curves are not compared there (a lower --learning-rate helps)";
}

void print_students(const std::vector<Student>& students, const std::optional<CurveBound>& bound,
                    Index characters, std::ostream& out) {
  constexpr auto right = Table::Align::right;
  Table table({{"backend"},
               {"characters/s", right},
               {"step", right},
               {"noise", right},
               {"loss at first", right},
               {"at last", right},
               {"off by", right},
               {"checks"}});
  for (const Student& s : students) {
    if (s.losses.empty()) continue;
    std::vector<double> seconds;
    for (const Measurement& m : s.measurements) seconds.push_back(m.seconds);
    const auto noise = relative_noise(seconds);
    const Fall fall = fall_of(s.losses);
    table.add({std::string(s.backend->name()),
               text_of("%.0f", static_cast<double>(characters) / median(seconds)),
               duration_text(median(seconds)), noise ? percent_text(*noise) : "-",
               text_of("%.4f", fall.first), text_of("%.4f", fall.last),
               bound ? percent_text(worst_distance(s.losses, s.c.dtype, *bound)) : "-",
               s.complaint.empty() ? "good" : s.complaint});
  }
  table.print(out, "  ");
  out << "  loss: nats a character, mean over the first and last tenth of the steps; off by: ";
  if (bound) {
    out << "largest distance from\n  the reference's f64 curve, as a share of what rounding may "
           "cause ("
        << CurveBound::factor << " times what it does to the reference)\n";
  } else {
    out << "not compared\n";
  }
  out << std::endl;
}

}  // namespace bptt::bench
