#include "bench/char_lm/char_lm.hpp"

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "bench/char_lm/curves.hpp"
#include "bench/char_lm/trainer.hpp"
#include "bench/engine.hpp"
#include "bench/statistics.hpp"
#include "bench/system.hpp"
#include "bench/table.hpp"
#include "bench/turns.hpp"
#include "impls/api/registry.hpp"
#include "impls/program/interrupt.hpp"
#include "impls/program/progress.hpp"

namespace bptt::bench {
namespace {

std::string text_of(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A backend learning.
struct Student {
  const Backend* backend = nullptr;
  Case c;
  Verdict verdict;
  std::unique_ptr<Trainer> trainer;
  Curve losses;
  std::vector<Measurement> measurements;
  std::string complaint;  ///< what its curve failed; empty where nothing
};

class CharLm {
 public:
  CharLm(const Settings& settings, const Corpus& corpus, const Verifier& verifier,
         const Backend& reference, Journal& journal, std::ostream& out)
      : settings_(settings),
        corpus_(corpus),
        verifier_(verifier),
        reference_(reference),
        journal_(journal),
        out_(out),
        sweep_(as_sweep(settings)) {}

  Outcome run() {
    const auto cases = char_lm_cases(settings_, corpus_);
    // All cases share the shape's T and B: one refusal for a text that is too short.
    for (const Case& c : cases) Windows(corpus_, c.spec.shape.T, c.spec.shape.B);
    out_ << corpus_.name() << ": " << corpus_.characters().size() << " characters, "
         << corpus_.alphabet_size() << " different ones; knowing only how often each occurs costs "
         << text_of("%.3f", corpus_.unigram_entropy()) << " nats a character\n\n";
    for (const Case& c : cases) {
      if (stopped()) break;
      run_case(c);
    }
    return outcome_;
  }

 private:
  bool stopped() {
    outcome_.interrupted = outcome_.interrupted || program::interrupted();
    return outcome_.interrupted;
  }

  Student student(const Backend& backend, Case c) const {
    Student s;
    s.backend = &backend;
    s.trainer = Trainer::make(
        backend, c, corpus_,
        {settings_.seed, settings_.learning_rate.value_or(default_learning_rate(c.spec.cell.kind)),
         settings_.clip_norm});
    s.c = std::move(c);
    return s;
  }

  Subject subject(const Backend& backend, const Case& c, const Verdict& verdict) const {
    return {c, backend, Phase::train_step, "char-lm", trainer_flops(c), {}, verdict, verdict.note};
  }

  void refuse(const Backend& backend, const Case& c, const Verdict& verdict,
              const std::string& reason) {
    journal_.write_refusal(subject(backend, c, verdict), reason);
    out_ << to_string(c) << "\n  " << backend.name() << ": refused: " << reason << "\n\n";
  }

  void run_case(const Case& c) {
    program::Progress progress(estimate(c));
    std::vector<Student> students;
    for (const Backend* backend : settings_.backends) {
      if (stopped()) return;
      progress.show(0, "verifying " + std::string(backend->name()) + ": " + to_string(c));
      Verdict verdict;
      auto reason = cost_.refusal(*backend, c, sweep_);
      if (!reason) {
        verdict = ask(verifier_, *backend, c, settings_.seed);
        outcome_.wrong = outcome_.wrong || verdict.failed();
        if (const auto objection = verdict.objection(); !objection.empty()) reason = objection;
      }
      if (reason) {
        progress.clear();
        refuse(*backend, c, verdict, *reason);
        continue;
      }
      students.push_back(student(*backend, c));
      students.back().verdict = verdict;
    }
    if (students.empty()) return;
    // The reference learns along in both precisions, on one thread. Where it is among the students
    // already, its curve there serves.
    std::vector<Student> references;
    for (const Dtype dtype : all_dtypes) {
      if (find(students, dtype) != nullptr) continue;
      Case of_reference = c;
      of_reference.dtype = dtype;
      of_reference.exec = Exec{};
      references.push_back(student(reference_, of_reference));
    }
    const auto curve_of = [&](Dtype dtype) {
      const Student* s = find(students, dtype);
      return (s != nullptr ? s : find(references, dtype))->losses;
    };
    train(students, references, progress);
    progress.clear();
    const CurveBound bound(curve_of(Dtype::f64), curve_of(Dtype::f32));
    // Interrupted within a step, some have a loss that there is nothing to compare with.
    for (Student& s : students) {
      s.losses.resize(std::min(s.losses.size(), bound.steps()));
      s.measurements.resize(s.losses.size());
    }
    check_comparable(c, bound);
    for (Student& s : students) judge(s, bound);
    for (const Student& s : students) write(s);
    print(c, students, bound);
  }

  /// The reference among `students` in a precision; null where it is not.
  const Student* find(const std::vector<Student>& students, Dtype dtype) const {
    for (const Student& s : students) {
      if (s.backend == &reference_ && s.c.dtype == dtype) return &s;
    }
    return nullptr;
  }

  double estimate(const Case& c) {
    double seconds = settings_.steps * cost_.call_seconds(reference_, c, Phase::train_step);
    for (const Backend* backend : settings_.backends) {
      if (!cost_.refusal(*backend, c, sweep_)) seconds += cost_.case_seconds(*backend, c, sweep_);
    }
    return seconds;
  }

  void train(std::vector<Student>& students, std::vector<Student>& references,
             program::Progress& progress) {
    const double total = estimate(students.front().c);
    for (Index step = 0; step < settings_.steps && !stopped(); ++step) {
      progress.show(total * static_cast<double>(step) / settings_.steps,
                    "step " + std::to_string(step + 1) + " of " + std::to_string(settings_.steps) +
                        ": " + to_string(students.front().c));
      for (Student& s : references) learn(s, step);
      for (std::size_t k = 0; k < students.size(); ++k) {
        learn(students[in_turn(k, step, students.size())], step);
      }
    }
  }

  void learn(Student& s, Index step) {
    s.trainer->load();
    settle_.before_measurement();
    double loss = 0;
    const double seconds = time_calls("char-lm", 1, [&] { loss = s.trainer->step(); });
    settle_.after_measurement(s.c.exec.threads);
    s.losses.push_back(loss);
    s.measurements.push_back({step, seconds, utc_now(), loss});
  }

  /// A comparison that ends before half of the training does is none.
  void check_comparable(const Case& c, const CurveBound& bound) {
    chaos_.clear();
    if (bound.comparable_steps() == bound.steps()) return;
    chaos_ = "from step " + std::to_string(bound.comparable_steps()) +
             " on rounding alone moves the loss by more than " + percent_text(CurveBound::chaos) +
             ": curves are not compared there (a lower --learning-rate helps)";
    if (2 * bound.comparable_steps() < bound.steps()) outcome_.inconclusive = true;
    out_ << to_string(c) << ": " << chaos_ << '\n';
  }

  void judge(Student& s, const CurveBound& bound) {
    if (s.losses.empty()) return;
    const Fall fall = fall_of(s.losses);
    if (const auto off = first_disagreement(s.losses, s.c.dtype, bound)) {
      s.verdict.verified = "failed";
      s.complaint = "loss disagrees with the reference from step " + std::to_string(off->step) +
                    ": " + text_of("%.9g", off->loss) + " instead of " +
                    text_of("%.9g", off->expected) + " +- " + text_of("%.2g", off->allowed);
    } else if (!outcome_.interrupted && !fall.fell()) {
      // The curve is the reference's: the settings do not train, whoever computes.
      s.complaint = "loss did not fall enough: " + text_of("%.4g", fall.first) + " at first, " +
                    text_of("%.4g", fall.last) + " at last";
    }
    if (s.complaint.empty()) return;
    outcome_.wrong = true;
    s.verdict.note = s.complaint;
  }

  void write(const Student& s) {
    Subject of = subject(*s.backend, s.c, s.verdict);
    if (s.complaint.empty() && !chaos_.empty()) of.note = chaos_;
    of.workspace_bytes = s.trainer->workspace_bytes();
    journal_.write(of, s.measurements);
  }

  void print(const Case& c, const std::vector<Student>& students, const CurveBound& bound) {
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
      const auto characters = static_cast<double>(c.spec.shape.T * c.spec.shape.B);
      table.add({std::string(s.backend->name()), text_of("%.0f", characters / median(seconds)),
                 duration_text(median(seconds)), noise ? percent_text(*noise) : "-",
                 text_of("%.4f", fall.first), text_of("%.4f", fall.last),
                 percent_text(worst_distance(s.losses, s.c.dtype, bound)),
                 s.complaint.empty() ? "good" : s.complaint});
    }
    out_ << "char-lm, " << to_string(c) << ", " << settings_.steps << " steps\n";
    table.print(out_, "  ");
    out_ << "  loss: nats a character, mean over the first and last tenth of the steps; off by: "
            "largest "
            "distance from\n  the reference's f64 curve, as a share of what rounding may cause ("
         << CurveBound::factor << " times what it does to the reference)\n"
         << std::endl;
  }

  const Settings& settings_;
  const Corpus& corpus_;
  const Verifier& verifier_;
  const Backend& reference_;
  Journal& journal_;
  std::ostream& out_;
  Settings sweep_;
  CostModel cost_;
  Settle settle_;
  Outcome outcome_;
  std::string chaos_;  ///< of the case at hand; empty where all steps can be compared
};

}  // namespace

std::vector<Case> char_lm_cases(const Settings& settings, const Corpus& corpus) {
  std::vector<Case> cases = expand(settings);
  for (Case& c : cases) c.spec.shape.I = corpus.alphabet_size();
  return cases;
}

Settings as_sweep(const Settings& settings) {
  Settings sweep = settings;
  sweep.phases = {Phase::train_step};
  sweep.repetitions = settings.steps;
  sweep.min_seconds = 1e-9;  // a repetition is one step, however short
  return sweep;
}

Outcome run_char_lm(const Settings& settings, const Corpus& corpus, const Verifier& verifier,
                    const Backend& reference, Journal& journal, std::ostream& out) {
  return CharLm(settings, corpus, verifier, reference, journal, out).run();
}

Outcome run_char_lm(const Settings& settings, const Corpus& corpus, const Verifier& verifier,
                    Journal& journal, std::ostream& out) {
  return run_char_lm(settings, corpus, verifier, *backends().front(), journal, out);
}

}  // namespace bptt::bench
