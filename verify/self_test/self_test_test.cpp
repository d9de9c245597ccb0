// The self-test's own machinery: it fails where it should. And what faults are planted with: the
// textbook without a mistake is naive, a backend without a fault is blamed for nothing.
#include "verify/self_test/self_test.hpp"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/program/exit_code.hpp"
#include "verify/cases.hpp"
#include "verify/equality.hpp"
#include "verify/self_test/program.hpp"
#include "verify/self_test/report.hpp"
#include "verify/self_test/rows.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify::self_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* small = "lstm/plain/T7-B3-I5-H4";

PlantedFault fault_of(const char* name, Fault in_plans, const char* check,
                      const char* tensor = "") {
  PlantedFault fault{name, "forward", small, check, tensor};
  fault.in_plans = std::move(in_plans);
  fault.dtypes = {Dtype::f64};
  return fault;
}

const Fault no_op = Fault::make("no-op", [](auto&) {});

/// Of faults in naive, by these checks of the suite alone.
SelfTest run_with(const std::vector<PlantedFault>& faults, const std::set<std::string>& checks) {
  const auto make = [&] {
    auto all = checks_for_self_test({});
    std::erase_if(
        all, [&](const CheckForSelfTest& check) { return checks.count(check.names.front()) == 0; });
    return all;
  };
  return run(faults, make, std::vector<const Backend*>{backends().front()});
}

const CheckOutcome& check_named(const SelfTest& result, const std::string& name) {
  return *std::find_if(result.checks.begin(), result.checks.end(),
                       [&](const CheckOutcome& check) { return check.name == name; });
}

std::string printed(const SelfTest& result) {
  std::ostringstream out;
  print(out, result);
  return out.str();
}

// ---- That it fails ----

TEST(SelfTestFails, WhereAFaultIsNotCaught) {
  const SelfTest result = run_with({fault_of("nothing wrong", no_op, "gradient")}, {"gradient"});
  ASSERT_EQ(result.outcomes.size(), 1u);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::survived);
  EXPECT_TRUE(result.outcomes[0].caught_by.empty());
  EXPECT_EQ(result.exit_code(), program::numerically_wrong);
  EXPECT_THAT(printed(result), HasSubstr("SURVIVED: 'nothing wrong' in naive: f64: expected "
                                         "gradient; got nothing"));
}

TEST(SelfTestFails, WhereTheWrongCheckCatchesIt) {
  const SelfTest result = run_with(
      {fault_of("swapped", mistaken(Mistake::gradient_rows_swapped), "reuse")}, {"equality"});
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::elsewhere);
  EXPECT_THAT(result.outcomes[0].caught_by, ElementsAre("equality"));
  EXPECT_EQ(result.exit_code(), program::numerically_wrong);
  EXPECT_THAT(printed(result), HasSubstr("wrong check: 'swapped' in naive"));
}

TEST(SelfTestFails, WhereAnotherTensorTimeStepOrGateIsNamed) {
  const auto outcome_of = [](const char* tensor, const char* time_step, const char* gate) {
    PlantedFault fault =
        fault_of("dW_hh", mistaken(Mistake::weight_hh_without_first_step), "equality", tensor);
    fault.time_step = time_step;
    fault.gate = gate;
    return run_with({fault}, {"equality"}).outcomes[0].verdict;
  };
  EXPECT_EQ(outcome_of("grad.weight_hh_l0", "upstream step 0 on", ""), Verdict::caught);
  EXPECT_EQ(outcome_of("grad.weight_ih_l0", "", ""), Verdict::misnamed);
  EXPECT_EQ(outcome_of("grad.weight_hh_l0", "upstream step 3 on", ""), Verdict::misnamed);
  EXPECT_EQ(outcome_of("grad.weight_hh_l0", "", "r"), Verdict::misnamed);
}

TEST(SelfTestFails, WhereACheckIsIdle) {
  // Both see it, so that neither is needed; nothing is planted for the others of the group.
  const SelfTest result =
      run_with({fault_of("swapped", mistaken(Mistake::gradient_rows_swapped), "equality")},
               {"equality", "gradient"});
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::caught);
  EXPECT_TRUE(check_named(result, "gradient").is_idle());
  EXPECT_TRUE(check_named(result, "equality").is_idle());
  EXPECT_TRUE(check_named(result, "padding").is_idle());
  EXPECT_EQ(result.exit_code(), program::numerically_wrong);
  EXPECT_THAT(printed(result), HasSubstr("IDLE: gradient: every fault is caught without it"));
}

TEST(SelfTestFails, WhereAnHonestBackendIsBlamed) {
  const auto make = [] {
    const CheckForSelfTest cries_wolf{{"wolf"}, [](const Planted&) {
                                        Finding finding;
                                        finding.check = "wolf";
                                        return Seen{{finding}, ""};
                                      }};
    return std::vector<CheckForSelfTest>{cries_wolf};
  };
  const SelfTest result =
      run({fault_of("any", no_op, "wolf")}, make, std::vector<const Backend*>{backends().front()});
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::caught);
  EXPECT_FALSE(result.false_alarms.empty());
  EXPECT_EQ(result.exit_code(), program::numerically_wrong);
}

TEST(SelfTest, PassesWhereEveryFaultIsCaughtByTheCheckThatHasTo) {
  const SelfTest result =
      run_with({fault_of("shared", mistaken_everywhere(Mistake::forget_gradient_of_new_cell),
                         "gradient", "grad.weight_ih_l0")},
               {"gradient"});
  EXPECT_EQ(result.exit_code(), program::good) << printed(result);
  EXPECT_THAT(check_named(result, "gradient").only_it, ElementsAre("shared"));
}

TEST(SelfTest, SaysWhereAFaultCannotBePlanted) {
  PlantedFault fault = fault_of("threads", no_op, "threads");
  fault.threads = {1, 2};
  const SelfTest result = run_with({fault}, {"equality"});
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::not_planted);
  EXPECT_FALSE(check_named(result, "threads").applicable);
  EXPECT_EQ(result.exit_code(), program::nothing_done);
  EXPECT_THAT(printed(result), HasSubstr("not planted in naive: it runs on one thread"));
}

// ---- The document ----

TEST(SelfTestJson, IsReadAsItWasWritten) {
  SelfTest result = run_with(
      {fault_of("swapped", mistaken(Mistake::gradient_rows_swapped), "reuse")}, {"equality"});
  result.false_alarms = {"one"};
  const SelfTest read = parse_json(json_text(result), "file");
  EXPECT_EQ(json_text(read), json_text(result));
  EXPECT_EQ(fault_rows(read), fault_rows(result));
  EXPECT_EQ(read.exit_code(), result.exit_code());
}

TEST(SelfTestJson, SaysWhatIsMalformed) {
  const auto message = [](const char* text) -> std::string {
    try {
      parse_json(text, "f.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("{"), HasSubstr("f.json: expected what bptt-verify --self-test --json"));
  EXPECT_THAT(message("{}"), HasSubstr("schema_version"));
  EXPECT_THAT(message("{\"schema_version\": 99}"), HasSubstr("got schema_version 99, not 1"));
  EXPECT_THAT(message("{\"schema_version\": 1}"), HasSubstr("outcomes"));
}

// ---- What faults are made of ----

TEST(PlantedFaults, AreManyInEveryPhaseAndHaveNamesOfTheirOwn) {
  std::set<std::string> names, phases;
  std::set<CellKind> cells;
  for (const PlantedFault& fault : planted_faults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    phases.insert(fault.phase);
    cells.insert(find_case(fault.case_name).subject->cell().kind);
    EXPECT_EQ(fault.in_plans.is_planted() + fault.around.is_planted() +
                  static_cast<bool>(fault.spec_seen),
              1)
        << fault.name;
  }
  EXPECT_GE(names.size(), 100u);
  EXPECT_EQ(cells.size(), 3u);
  EXPECT_EQ(phases.size(), 9u);
}

class Textbook : public testing::TestWithParam<const char*> {};

/// Planted in naive: its own results are replaced by those of the textbook.
TEST_P(Textbook, WithoutAMistakeIsNaive) {
  const Fault replaced = Fault::make("textbook", []<class T>(FaultContext<T>& c) {
    Problem<T> p(c.spec);
    run_textbook(c.spec, Mistake::none, c.params, c.in, c.backward ? &c.dout : nullptr, p.out,
                 p.grads);
    const auto copy = [&](const auto& from, const auto& to) {
      std::vector<View<T>> views;
      for_each(c.spec, from, [&](const TensorInfo&, const View<T>& v) { views.push_back(v); });
      std::size_t i = 0;
      for_each(c.spec, to, [&](const TensorInfo&, const View<T>& v) {
        if (v) std::copy(views[i].begin(), views[i].end(), v.begin());
        ++i;
      });
    };
    c.backward ? copy(p.grads, c.grads) : copy(p.out, c.out);
  });
  const FaultyBackend backend(*backends().front(), replaced);
  for (const char* kind : {"/plain/T7-B3-I5-H4", "/lengths/T7-B3-I5-H4", "/plain/T50-B3-I5-H17"}) {
    const Case& c = find_case(GetParam() + std::string(kind));
    for (const Result& result : check_equality<float>(backend, c, reference_of<float>(c, 1), {})) {
      EXPECT_EQ(result.verdict, verify::Verdict::pass) << c.name << ": " << result.worst;
    }
    for (const Result& result :
         check_equality<double>(backend, c, reference_of<double>(c, 1), {})) {
      EXPECT_EQ(result.verdict, verify::Verdict::pass) << c.name << ": " << result.worst;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryCell, Textbook,
                         testing::Values("rnn", "rnn:relu", "rnn:sigmoid", "rnn:leaky_relu",
                                         "rnn:identity", "lstm", "lstm:peephole", "lstm:coupled",
                                         "lstm:gate_input=cell:coupled", "lstm:input_gate=off",
                                         "lstm:peephole:output_gate=off", "lstm:forget_gate=off",
                                         "lstm:output=identity:gate_input=cell:peephole", "gru",
                                         "gru:update=keep", "gru:reset=after_matmul",
                                         "gru:reset=after_matmul:update=keep"));

TEST(AddedMistake, LeavesTheBitsThatItDoesNotChange) {
  const Case& c = find_case(small);
  const FaultyBackend honest(*backends().front(), mistaken(Mistake::none));
  const FaultyBackend faulty(*backends().front(), mistaken(Mistake::dcT_ignored));
  const auto given = reference_of<double>(c, 1).given;
  const auto results_on = [&](const Backend& backend) {
    return verify::run(*c.subject->make<double>(plans_of<double>(backend, {})), given);
  };
  const auto plain = results_on(*backends().front());
  EXPECT_EQ(results_on(honest), plain);
  const auto changed = results_on(faulty);
  EXPECT_EQ(changed[0], plain[0]) << "y does not depend on dcT";
  EXPECT_NE(changed.back(), plain.back());
}

// ---- The whole ----

class EveryBackend : public testing::TestWithParam<const Backend*> {};

TEST_P(EveryBackend, CatchesEveryFault) {
  std::ostringstream out;
  const std::string name(GetParam()->name());
  const char* const arguments[] = {"bptt-verify", "--self-test", "--backend", name.c_str()};
  EXPECT_EQ(self_test::run_program(4, arguments, out), program::good) << out.str();
  EXPECT_THAT(out.str(), HasSubstr("PASS: "));
  EXPECT_THAT(out.str(), Not(HasSubstr("IDLE")));
}

INSTANTIATE_TEST_SUITE_P(Program, EveryBackend, testing::ValuesIn(backends()),
                         [](const auto& of) { return std::string(of.param->name()); });

}  // namespace
}  // namespace bptt::verify::self_test
