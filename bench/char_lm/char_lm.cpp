#include "bench/char_lm/char_lm.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "bench/char_lm/judgement.hpp"
#include "bench/char_lm/student.hpp"
#include "bench/engine.hpp"
#include "bench/system.hpp"
#include "bench/turns.hpp"
#include "impls/api/memory.hpp"
#include "impls/program/interrupt.hpp"
#include "impls/program/progress.hpp"

namespace bptt::bench {
namespace {

class CharLm {
 public:
  CharLm(const Settings& settings, const Corpus& corpus, CharLmFiles& files,
         const Verifier& verifier, const Backend& reference, Journal& journal, std::ostream& out)
      : settings_(settings),
        options_(settings.training),
        corpus_(corpus),
        files_(files),
        verifier_(verifier),
        reference_(reference),
        journal_(journal),
        out_(out),
        sweep_(as_sweep(settings)) {}

  Outcome run() {
    const auto cases = char_lm_cases(settings_, corpus_);
    // A text that is too short for one of them is told before anything is trained.
    for (const Case& c : cases) Windows(corpus_, truncation_of(c, options_), c.spec.shape.B);
    char entropy[32];
    std::snprintf(entropy, sizeof entropy, "%.3f", corpus_.unigram_entropy());
    out_ << corpus_.name() << ": " << corpus_.characters().size() << " characters, "
         << corpus_.alphabet_size() << " different ones; knowing only how often each occurs costs "
         << entropy << " nats a character\n\n";
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
  /// Whether the reference trains along.
  bool compares() const { return options_.compare_curves && options_.steps > 0; }

  Subject subject(const Backend& backend, const Case& c, const Verdict& verdict) const {
    Subject s{c,  backend, Phase::train_step, "char-lm", trainer_flops(c, options_),
              {}, verdict, verdict.note};
    const net::Truncation truncation = truncation_of(c, options_);
    // K2 is T.
    if (truncation.k1 != truncation.k2) s.options = "k1=" + std::to_string(truncation.k1);
    s.items = truncation.k1 * c.spec.shape.B;
    return s;
  }

  void refuse(const Backend& backend, const Case& c, const Verdict& verdict,
              const std::string& reason) {
    journal_.write_refusal(subject(backend, c, verdict), reason);
    out_ << to_string(c) << "\n  " << backend.name() << ": refused: " << reason << "\n\n";
  }

  Student student(const Backend& backend, const Case& c) const {
    Student s;
    s.backend = &backend;
    s.c = c;
    s.trainer = Trainer::make(backend, c, corpus_, options_, settings_.seed);
    files_.begin(*s.trainer);
    return s;
  }

  /// The reference learns in both precisions, on one thread, and remembers everything.
  static Case reference_case(Case c, Dtype dtype) {
    c.dtype = dtype;
    c.exec = Exec{};
    return c;
  }

  /// Sets the memory for the reference's trainings aside. Gives why they do not fit, or "".
  std::string reserve(const Case& c, MemoryBudget& memory) const {
    if (!compares()) return "";
    std::string reason;
    try {
      for (const Dtype dtype : all_dtypes) {
        if (!reason.empty()) break;
        reason = memory.take(trainer_bytes(reference_, reference_case(c, dtype), options_));
      }
    } catch (const Error& error) {
      reason = error.what();
    }
    return reason.empty() ? ""
                          : "the reference, which curves are compared with, " + reason +
                                " (--compare-curves off does without)";
  }

  /// Why a backend cannot take part; "": `s` is it. Throws whatever its code throws.
  std::string admit(const Backend& backend, const Case& c, MemoryBudget& memory, Student& s) {
    if (auto reason = cost_.refusal(backend, c, sweep_)) return *reason;
    // With --truncate a second stack carries the state from window to window, of sequences with
    // lengths.
    if (const auto carrier =
            net::TruncatedStack<float>::carrier_spec(c.spec, truncation_of(c, options_))) {
      for (Index layer = 0; layer < carrier->layers; ++layer) {
        auto reason = backend.refusal(carrier->layer_spec(layer), c.dtype, c.exec);
        if (reason) return "with truncation: " + *reason;
      }
    }
    s.verdict = verifier_.before(backend, c, settings_.seed);
    outcome_.wrong = outcome_.wrong || s.verdict.failed();
    if (auto reason = s.verdict.objection(); !reason.empty()) return reason;
    if (!compares()) s.verdict.reduce("updates are not judged: --compare-curves off");
    // The reference's own memory is set aside already.
    if (!compares() || &backend != &reference_) {
      auto reason = memory.take(trainer_bytes(backend, c, options_));
      if (!reason.empty()) return reason;
    }
    Verdict verdict = std::move(s.verdict);
    s = student(backend, c);
    s.verdict = std::move(verdict);
    return "";
  }

  std::vector<Student> admit_all(const Case& c, MemoryBudget& memory, program::Progress& progress) {
    std::vector<Student> students;
    const std::string unfit = reserve(c, memory);
    for (const Backend* backend : settings_.backends) {
      if (stopped()) return {};
      progress.show(0, "verifying " + std::string(backend->name()) + ": " + to_string(c));
      Student s;
      std::string reason = unfit;
      try {
        if (reason.empty()) reason = admit(*backend, c, memory, s);
      } catch (const std::exception& error) {
        outcome_.broken = true;
        reason = std::string("failed unexpectedly: ") + error.what();
      }
      if (reason.empty()) {
        students.push_back(std::move(s));
      } else {
        progress.clear();
        refuse(*backend, c, s.verdict, reason);
      }
    }
    return students;
  }

  /// The reference among students, in a precision; null where it is not.
  const Student* reference_in(const std::vector<Student>& students, Dtype dtype) const {
    for (const Student& s : students) {
      if (s.backend == &reference_ && s.c.dtype == dtype) return &s;
    }
    return nullptr;
  }

  void run_case(const Case& c) {
    program::Progress progress(estimate(c));
    MemoryBudget memory(available_memory());
    std::vector<Student> students = admit_all(c, memory, progress);
    if (students.empty()) return;
    // Where the reference is among the students, its curve there serves.
    std::vector<Student> references;
    for (const Dtype dtype : all_dtypes) {
      if (!compares() || reference_in(students, dtype) != nullptr) continue;
      references.push_back(student(reference_, reference_case(c, dtype)));
    }
    train(c, students, references, progress);
    progress.clear();

    std::optional<CurveBound> bound;
    if (compares()) {
      const auto curve = [&](Dtype dtype) {
        const Student* s = reference_in(students, dtype);
        return (s != nullptr ? s : reference_in(references, dtype))->losses;
      };
      bound.emplace(curve(Dtype::f64), curve(Dtype::f32));
    }
    for (const Student& s : references) {
      if (s.failure.empty()) continue;
      outcome_.broken = true;
      out_ << to_string(s.c) << ": the reference failed unexpectedly: " << s.failure << '\n';
    }
    drop_broken(students);
    finish(c, students, bound);
  }

  double estimate(const Case& c) {
    double seconds = 0;
    if (compares()) {
      seconds = 2 * options_.steps * cost_.call_seconds(reference_, c, Phase::train_step);
    }
    for (const Backend* backend : settings_.backends) {
      if (!cost_.refusal(*backend, c, sweep_)) seconds += cost_.case_seconds(*backend, c, sweep_);
    }
    return seconds;
  }

  void train(const Case& c, std::vector<Student>& students, std::vector<Student>& references,
             program::Progress& progress) {
    const double total = estimate(c);
    for (Index step = 0; step < options_.steps && !stopped(); ++step) {
      progress.show(total * static_cast<double>(step) / options_.steps,
                    "step " + std::to_string(step + 1) + " of " + std::to_string(options_.steps) +
                        ": " + to_string(c));
      for (Student& s : references) learn(s, step);
      for (std::size_t k = 0; k < students.size(); ++k) {
        learn(students[in_turn(k, step, students.size())], step);
      }
    }
  }

  void learn(Student& s, Index step) {
    if (!s.failure.empty()) return;
    try {
      s.trainer->load();
      settle_.before_measurement();
      double loss = 0;
      const double seconds = time_calls("char-lm", 1, [&] { loss = s.trainer->step(); });
      settle_.after_measurement(s.c.exec.threads);
      s.losses.push_back(loss);
      s.measurements.push_back({step, seconds, utc_now(), loss});
    } catch (const std::exception& error) {
      s.failure = error.what();
    }
  }

  /// Whoever failed in a way that nobody foresaw is out of the case, and a row says why.
  void drop_broken(std::vector<Student>& students) {
    for (const Student& s : students) {
      if (s.failure.empty()) continue;
      outcome_.broken = true;
      refuse(*s.backend, s.c, s.verdict, "failed unexpectedly: " + s.failure);
    }
    std::erase_if(students, [](const Student& s) { return !s.failure.empty(); });
  }

  void finish(const Case& c, std::vector<Student>& students,
              const std::optional<CurveBound>& bound) {
    std::string chaos;
    if (bound) {
      // Interrupted within a step, some have a loss that there is nothing to compare with.
      for (Student& s : students) {
        s.losses.resize(std::min(s.losses.size(), bound->steps()));
        s.measurements.resize(s.losses.size());
      }
      chaos = chaos_of(*bound);
      // A comparison that ends before half of the training does is none.
      if (bound->diverged() || 2 * bound->comparable_steps() < bound->steps()) {
        outcome_.inconclusive = true;
      }
      if (!chaos.empty()) out_ << to_string(c) << ": " << chaos << '\n';
    }
    const Judgement judgement = judge(students, bound, {outcome_.interrupted, files_.loaded()});
    outcome_.wrong = outcome_.wrong || judgement == Judgement::wrong;
    outcome_.inconclusive = outcome_.inconclusive || judgement == Judgement::inconclusive;
    for (const Student& s : students) {
      Subject of = subject(*s.backend, s.c, s.verdict);
      if (s.complaint.empty() && !chaos.empty()) of.note = chaos;
      of.workspace_bytes = s.trainer->workspace_bytes();
      of.implementation = s.trainer->implementation();
      journal_.write(of, s.measurements);
    }
    if (options_.steps > 0) {
      out_ << "char-lm, " << to_string(c) << ", " << options_.steps << " steps\n";
      print_students(students, bound, truncation_of(c, options_).k1 * c.spec.shape.B, out_);
    }
    leave(students);
  }

  void leave(const std::vector<Student>& students) {
    if (!files_.wanted()) return;
    const auto right = [](const Student& s) { return !s.verdict.failed(); };
    const auto sound = std::find_if(students.begin(), students.end(),
                                    [&](const Student& s) { return right(s) && is_finite(s); });
    if (sound == students.end()) {
      const bool diverged = std::any_of(students.begin(), students.end(), right);
      outcome_.inconclusive = outcome_.inconclusive || diverged;
      out_ << (diverged ? "  the training diverged, its model is not finite"
                        : "  no training is sound")
           << ": no model is left" << files_.kept() << "\n\n";
      return;
    }
    files_.leave(*sound->trainer, sound->backend->name(), out_);
    outcome_.used = true;
  }

  /// Whether it is a model at all, and not what a diverged training has made of one.
  static bool is_finite(const Student& s) {
    return s.trainer->is_finite() && (s.losses.empty() || std::isfinite(s.losses.back()));
  }

  const Settings& settings_;
  const TrainingOptions& options_;
  const Corpus& corpus_;
  CharLmFiles& files_;
  const Verifier& verifier_;
  const Backend& reference_;
  Journal& journal_;
  std::ostream& out_;
  Settings sweep_;
  CostModel cost_;
  Settle settle_;
  Outcome outcome_;
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
  sweep.repetitions = settings.training.steps;
  sweep.min_seconds = 1e-9;  // a repetition is one step, however short
  return sweep;
}

Outcome run_char_lm(const Settings& settings, const Corpus& corpus, CharLmFiles& files,
                    const Verifier& verifier, const Backend& reference, Journal& journal,
                    std::ostream& out) {
  return CharLm(settings, corpus, files, verifier, reference, journal, out).run();
}

}  // namespace bptt::bench
