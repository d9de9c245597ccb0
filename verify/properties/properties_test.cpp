// Each check is seen to fail with a backend that does one thing wrong, and to pass with naive.
#include <cmath>
#include <cstring>
#include <functional>

#include <gtest/gtest.h>

#include "impls/naive/naive.hpp"
#include "verify/bits.hpp"
#include "verify/properties/property.hpp"
#include "verify/properties/reach.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

/// What a fault sees, right after naive has filled the results. f64 alone: the checks are
/// templates.
struct Call {
  const Spec& spec;
  const Exec& exec;
  bool backward;
  int plan, call;  ///< both count from 0
  Params<const double> params;
  Inputs<const double> in;
  OutputGrads<const double> dout;
  Outputs<double> out;
  Grads<double> grads;
};
using Spoil = std::function<void(const Call&)>;

class FaultyPlan final : public Plan<double> {
 public:
  FaultyPlan(const Spec& spec, const Exec& exec, const Spoil& spoil, int plan)
      : Plan<double>(spec, exec),
        honest_(naive::make_plan<double>(spec)),
        spoil_(spoil),
        plan_(plan) {}
  std::size_t workspace_bytes() const override { return honest_->workspace_bytes(); }

 private:
  void do_forward(const Params<const double>& w, const Inputs<const double>& in,
                  const Outputs<double>& out) override {
    honest_->forward(w, in, out);
    spoil_({spec(), exec(), false, plan_, calls_++, w, in, {}, out, {}});
  }
  void do_backward(const Params<const double>& w, const Inputs<const double>& in,
                   const OutputGrads<const double>& dout, const Grads<double>& grads) override {
    honest_->backward(w, in, dout, grads);
    spoil_({spec(), exec(), true, plan_, calls_++, w, in, dout, {}, grads});
  }

  std::unique_ptr<Plan<double>> honest_;
  const Spoil& spoil_;
  int plan_, calls_ = 0;
};

class Faulty final : public Backend {
 public:
  explicit Faulty(Spoil spoil) : Backend("faulty"), spoil_(std::move(spoil)) {}
  std::string version() const override { return "test"; }
  bool same_for_all_threads(const Exec&) const override { return true; }

 private:
  std::optional<std::string> do_refusal(const Spec&, Dtype, const Exec&) const override {
    return std::nullopt;
  }
  std::size_t do_workspace_bytes(const Spec&, Dtype, const Exec&) const override { return 0; }
  std::unique_ptr<Plan<float>> do_plan(std::type_identity<float>, const Spec& spec,
                                       const Exec& exec) const override {
    return naive::make_plan<float>(spec, exec);
  }
  std::unique_ptr<Plan<double>> do_plan(std::type_identity<double>, const Spec& spec,
                                        const Exec& exec) const override {
    return std::make_unique<FaultyPlan>(spec, exec, spoil_, plans_++);
  }

  Spoil spoil_;
  mutable int plans_ = 0;
};

struct Row {
  const char* name;  ///< of the fault
  const char* case_name;
  const char* check;
  Spoil spoil;
};

double& last_of(const View<double>& view) {
  return view[view.size() - 1];
}

const std::vector<Row>& rows() {
  static const char* const lstm = "determinism/lstm/lengths/T9-B2-I7-H33";
  static const std::vector<Row> all = {
      {"bits drift with the calls", lstm, "rerun",
       [](const Call& c) {
         if (c.backward && c.call > 2) last_of(c.grads.x) += 1e-14;
       }},
      {"a state left by other lengths", lstm, "other-lengths",
       [](const Call& c) {
         static Index before = 0;
         if (c.backward) return;
         if (before != c.in.lengths[1] && c.call > 0) c.out.y[0] += 1e-12;
         before = c.in.lengths[1];
       }},
      {"state shared by plans", lstm, "neighbour-plan",
       [](const Call& c) {
         static int last_forward = -1;
         if (!c.backward) last_forward = c.plan;
         if (c.backward && last_forward != c.plan) last_of(c.grads.x) += 1e-12;
       }},
      {"a tape left dirty", lstm, "second-forward",
       [](const Call& c) {
         static bool was_forward = false;
         if (!c.backward && was_forward && c.plan == 0) c.out.y[0] += 1e-12;
         was_forward = !c.backward;
       }},
      {"the first plan is special", lstm, "fresh-plan",
       [](const Call& c) {
         if (c.plan == 0 && !c.backward) c.out.y[0] += 1e-12;
       }},
      {"a path for aligned tensors", lstm, "alignment",
       [](const Call& c) {
         if (!c.backward && reinterpret_cast<std::uintptr_t>(c.in.x.data()) % 64 != 0)
           c.out.y[0] += 1e-12;
       }},
      {"bits depend on threads", lstm, "thread-counts",
       [](const Call& c) {
         if (!c.backward && c.exec.threads == 3) c.out.y[0] += 1e-12;
       }},
      {"rising lengths mixed up", "batch-permutation/lstm/lengths/T11-B13-I3-H10",
       "batch-permutation",
       [](const Call& c) {
         if (c.backward || !std::is_sorted(c.in.lengths.begin(), c.in.lengths.end())) return;
         std::swap(c.out.y(0, 0, 0), c.out.y(0, 1, 0));
       }},
      {"the last row of a large batch lost", "batch-split/lstm/T3-B131-I4-H7", "batch-split",
       [](const Call& c) {
         if (!c.backward || c.spec.shape.B < 128) return;
         for (double& value : c.grads.params.bias_ih) value *= 1 - 1e-9;
       }},
      {"padding read", "padding-values/lstm/lengths/T10-B7-I5-H18", "padding-values",
       [](const Call& c) {
         const double padding = last_of({const_cast<double*>(c.in.x.data()), c.in.x.extents()});
         if (!c.backward && padding == 1) c.out.y[0] += 1e-12;
       }},
      {"small upstream gradients dropped", "linearity/lstm/T9-B5-I7-H11", "linearity",
       [](const Call& c) {
         if (c.backward && std::abs(c.dout.y[0]) < 0.01) c.grads.x[0] *= 1.001;
       }},
      {"gradients clipped", "scaling/lstm/T9-B5-I7-H12", "scaling",
       [](const Call& c) {
         if (!c.backward) return;
         for (double& value : c.grads.h0) value = std::min(value, 1e6);
       }},
      {"a floor under the gradient", "zero-upstream/lstm/lengths/T8-B6-I7-H11", "zero-upstream",
       [](const Call& c) {
         if (c.backward) c.grads.h0[0] += 1e-300;
       }},
      {"one length of time", "concatenation/lstm/T45-B4-I3-H6", "concatenation",
       [](const Call& c) {
         if (!c.backward && c.spec.shape.T == 19) last_of(c.out.hT) *= 1.001;
       }},
      {"one number of hidden units", "extents/lstm/hidden", "extents",
       [](const Call& c) {
         if (!c.backward && c.spec.shape.H == 65) last_of(c.out.y) *= 1.001;
       }},
      {"overflow in a gate", "saturation/lstm/T6-B4-I5-H20", "saturation",
       [](const Call& c) {
         if (!c.backward && std::abs(c.params.bias_ih[0]) > 1000) c.out.y[0] = std::nan("");
       }},
      {"denormals flushed", "denormals/lstm:bias=off/T4-B3-I5-H18", "denormals",
       [](const Call& c) {
         if (c.backward) return;
         for (double& value : c.out.y) value = std::abs(value) < 2.3e-308 ? 0 : value;
       }},
      {"small weights taken for zeros", "extreme-weights/lstm/T5-B4-I6-H19", "extreme-weights",
       [](const Call& c) {
         if (!c.backward && std::abs(c.params.weight_hh[0]) < 1e-20) c.out.y[0] = 0;
       }},
      {"Inf clamped", "overflow/rnn:relu/T8-B3-I4-H17", "overflow",
       [](const Call& c) {
         if (c.backward) return;
         for (double& value : c.out.y) value = std::min(value, 1e300);
       }},
      {"slope from the sign bit", "signed-zeros/rnn:relu:bias=off/T4-B3-I5-H18", "signed-zeros",
       [](const Call& c) {
         if (c.backward && std::signbit(c.in.h0[0])) c.grads.h0[0] += 0.5;
       }},
      {"NaN swallowed", "planted-nan/lstm/T4-B3-I5-H19", "planted-nan",
       [](const Call& c) {
         if (!c.backward && std::isnan(last_of(c.out.y))) last_of(c.out.y) = 1;
       }},
      {"Inf swallowed", "planted-inf/lstm/T4-B3-I5-H19", "planted-inf",
       [](const Call& c) {
         if (!c.backward) return;
         for (double& value : c.grads.params.weight_ih) value = std::isfinite(value) ? value : 1;
       }},
  };
  return all;
}

std::vector<Result> run_case(const std::string& name, const Backend& backend) {
  const PropertyCase& c = find_property_case(name);
  return check_property<double>(c, *c.prepare<double>({}), backend, {});
}

TEST(Properties, EachCheckFailsWhereItShould) {
  for (const Row& row : rows()) {
    const Faulty backend(row.spoil);
    bool named = false;
    for (const Result& result : run_case(row.case_name, backend)) {
      EXPECT_EQ(result.verdict, Verdict::fail) << row.name;
      for (const Finding& finding : result.findings) named |= finding.check == row.check;
    }
    EXPECT_TRUE(named) << row.name << ": not by " << row.check;
  }
}

TEST(Properties, AnHonestBackendPassesThere) {
  const Faulty backend([](const Call&) {});
  for (const Row& row : rows()) {
    for (const Result& result : run_case(row.case_name, backend)) {
      EXPECT_EQ(result.verdict, Verdict::pass) << row.case_name;
    }
  }
}

TEST(Properties, RacesAndThreadsGiveTheirClasses) {
  const std::string name = "determinism/lstm/lengths/T9-B2-I7-H33";
  const auto stability = [&](const Spoil& spoil) {
    return run_case(name, Faulty(spoil)).front().stability;
  };
  EXPECT_EQ(stability([](const Call&) {}), "stable");
  EXPECT_EQ(stability([](const Call& c) {
              if (!c.backward) c.out.y[0] += 1e-12 * c.exec.threads;
            }),
            "thread-dependent");
  EXPECT_EQ(stability([](const Call& c) {
              if (!c.backward) c.out.y[0] += 1e-12 * c.call;
            }),
            "racy");
}

TEST(Properties, EmptyExtentsTakenAreFound) {
  std::vector<Finding> findings;
  check_empty_extents([](const Spec&) {}, parse_cell("lstm"), findings);
  EXPECT_EQ(findings.size(), 8U);
  findings.clear();
  check_empty_extents([](const Spec& spec) { spec.validate(); }, parse_cell("lstm"), findings);
  EXPECT_TRUE(findings.empty());
}

TEST(Properties, EveryCheckHasACase) {
  for (const PropertyInfo& info : property_checks()) {
    const bool has = std::any_of(property_cases().begin(), property_cases().end(), [&](auto& c) {
      return c.check == info.name ||
             (info.kind == CheckKind::determinism && c.check == "determinism");
    });
    EXPECT_TRUE(has) << info.name;
  }
}

/// By hand: c0 of one unit reaches, in one step, that unit alone; in two, all.
TEST(Reach, OfACellStateInOneStep) {
  Problem<float> p({parse_cell("lstm"), {1, 2, 3, 4}, false});
  p.in.c0(1, 2) = 1;
  mark_reach(p);
  for (Index b = 0; b < 2; ++b) {
    for (Index j = 0; j < 4; ++j) {
      EXPECT_EQ(p.out.y(0, b, j), b == 1 && j == 2);
      EXPECT_EQ(p.grads.c0(b, j), b == 1 && j == 2);
      EXPECT_EQ(p.grads.h0(b, j), b == 1);
      EXPECT_EQ(p.grads.params.bias_hh[j], j == 2);
    }
  }
}

}  // namespace
}  // namespace bptt::verify
