// All that is told, before it is laid out as a page or as Markdown: the same tables and sentences
// for both.
#pragma once

#include <string>
#include <vector>

#include "reports/environment.hpp"
#include "reports/flow.hpp"
#include "reports/self_test.hpp"
#include "reports/study.hpp"
#include "reports/sweep.hpp"
#include "reports/table.hpp"

namespace bptt::report {

struct Report {
  Study study;
  std::string baseline;
  std::vector<EnvironmentFile> environments;
  Flow flow{};
  SelfTest self_test{};
  std::string ours{};  ///< the backend that peers are compared with; empty: the fastest of ours

  /// Gradient flow is all there is to tell: no results file was given.
  bool is_flow_only() const { return study.backends.empty() && !flow.empty(); }
  /// The self-test is: neither results nor gradient flow were given.
  bool is_self_test_only() const { return study.backends.empty() && flow.empty() && self_test; }
};

/// An empty `baseline` means naive where it was measured, else the first backend of the files.
/// Throws Error(usage) for one that the files do not know.
Report report_of(Study study, std::string baseline, std::vector<EnvironmentFile> environments);

/// The heading over it all.
std::string title(const Report&);

/// Phases of the layer workload that were measured, the most telling first.
std::vector<std::string_view> measured_phases(const Report&);

/// The answer in a sentence: "tbb is the fastest in 14 of 22 cases, blas in 5; 3 too close to
/// call."
Words verdict(const Report&, std::string_view phase);
/// Where, what, when, how sure: processor, kernels, peak, runs, versions.
std::vector<Fact> run_facts(const Report&);
/// What a reader should beware of: several commits, an environment of another run.
std::vector<std::string> cautions(const Report&);
/// How figures were arrived at, one sentence or two each.
std::vector<std::string> method(const Report&);

/// Whether a result was verified, as a reader must see it beside its figure.
Words standing(const Measurement&);
std::string notes_of(const Measurement&);

Table winners(const Report&, std::string_view phase);
Table speedups(const Report&, std::string_view phase);
Table measurements(const Report&);
/// Of one axis: times and GFLOP/s of all backends along each sweep.
Table sweep_table(const Report&, const Axis&);
Table training_table(const Report&);
/// The loss curves at about twenty steps.
Table loss_table(const Report&);
Table unverified(const Report&);
Table refusals(const Report&);

}  // namespace bptt::report
