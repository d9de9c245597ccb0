// Every planted fault is caught by the check that should catch it, and nothing else is reported of
// an honest backend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/equality.hpp"
#include "verify/faults.hpp"
#include "verify/model_faults.hpp"
#include "verify/oracles.hpp"

namespace bptt::verify {
namespace {

using testing::HasSubstr;

EqualityOptions two_threads() {
  EqualityOptions options;
  options.threads = {1, 2};
  return options;
}

const Fault honest = Fault::make("honest", [](auto&) {});

/// Of the one fault that these results are about.
void expect_caught(const std::vector<Result>& results, const std::string& check,
                   const std::string& tensor, const std::string& time_step) {
  bool caught = false;
  for (const Result& result : results) {
    for (const Finding& finding : result.findings) {
      EXPECT_FALSE(finding.time_step.empty()) << finding.place.tensor;
      if (finding.check != check || finding.place.tensor != tensor) continue;
      caught = true;
      EXPECT_EQ(result.verdict, Verdict::fail);
      EXPECT_THAT(finding.time_step, HasSubstr(time_step));
    }
  }
  EXPECT_TRUE(caught) << "no finding of check " << check << " in " << tensor;
}

template <class PlantedFaultOf>
struct Planted {
  PlantedFaultOf planted;
  Dtype dtype;

  friend void PrintTo(const Planted& p, std::ostream* out) { *out << p.planted.name(); }
};

template <class PlantedFaultOf>
std::vector<Planted<PlantedFaultOf>> in_both_types(const std::vector<PlantedFaultOf>& faults) {
  std::vector<Planted<PlantedFaultOf>> all;
  for (const auto& planted : faults) {
    for (const Dtype dtype : all_dtypes) all.push_back({planted, dtype});
  }
  return all;
}

constexpr auto test_name = [](const auto& test) {
  return test.param.planted.name() + "_" + std::string(name_of(test.param.dtype));
};

class PlantedFaults : public testing::TestWithParam<Planted<PlantedFault>> {};

TEST_P(PlantedFaults, AreCaughtAndNamed) {
  const auto& [planted, dtype] = GetParam();
  const Case& c = find_case(planted.case_name);
  const FaultyBackend backend(planted.fault);
  const auto results = dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    return check_equality<T>(backend, c, reference_of<T>(c, 1), two_threads());
  });
  expect_caught(results, planted.check, planted.tensor, planted.time_step);
}

INSTANTIATE_TEST_SUITE_P(All, PlantedFaults, testing::ValuesIn(in_both_types(planted_faults())),
                         test_name);

class PlantedModelFaults : public testing::TestWithParam<Planted<PlantedModelFault>> {};

TEST_P(PlantedModelFaults, AreCaughtAndNamed) {
  const auto& [planted, dtype] = GetParam();
  Case c = find_case(planted.case_name);
  c.subject = faulty_subject(c.subject, planted.in_model);
  const FaultyBackend backend(planted.in_plans);
  EqualityOptions options;
  options.recompute = {Recompute::none, Recompute::gates, Recompute::checkpoint};
  const auto results = dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    return check_equality<T>(backend, c, reference_of<T>(c, 1), options);
  });
  expect_caught(results, planted.check, planted.tensor, planted.time_step);
  if (planted.name() != "rebuilt_gates_wrong") return;
  for (const Result& result : results) {
    const bool wrong = result.recompute == Recompute::gates;
    EXPECT_EQ(result.verdict, wrong ? Verdict::fail : Verdict::pass) << name_of(result.recompute);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PlantedModelFaults,
                         testing::ValuesIn(in_both_types(planted_model_faults())), test_name);

/// Where the fault changes a gradient, the oracles alone find it as well.
TEST(Oracles, CatchFaultsInModels) {
  int caught = 0;
  for (const PlantedModelFault& planted : planted_model_faults()) {
    Case c = find_case(planted.case_name);
    const std::string tensor = planted.tensor;
    // Those of forward are the same in every leg; the oracles do not run with recomputation.
    if (!c.small || !tensor.starts_with("grad.") || planted.check != std::string("equality")) {
      continue;
    }
    const auto reference = reference_of<double>(c, 1);
    c.subject = faulty_subject(c.subject, planted.in_model);
    const Result result = check_gradient(FaultyBackend(planted.in_plans), c, reference, 1);
    EXPECT_EQ(result.verdict, Verdict::fail) << planted.name();
    bool named = false;
    for (const Finding& finding : result.findings) {
      EXPECT_THAT(finding.message, HasSubstr("the analytic gradient is the odd one out"));
      named = named || finding.place.tensor == tensor;
    }
    EXPECT_TRUE(named) << planted.name();
    ++caught;
  }
  EXPECT_EQ(caught, 2);  // encoder_cut_off, head_counts_padding
}

TEST(HonestBackend, PassesWhereFaultsArePlanted) {
  const FaultyBackend backend(honest);
  for (const char* name :
       {"lstm/plain/T50-B3-I5-H17", "lstm/lengths/T50-B3-I5-H17", "gru/plain/T50-B3-I5-H17",
        "lstm/2-layers-bidirectional-lengths/T11-B7-I3-H17",
        "encoder-decoder-attention/gru/lengths/T5-B4-I2-H3", "deep/lstm/lengths/T5-B4-I2-H3"}) {
    Case c = find_case(name);
    c.subject = faulty_subject(c.subject, ModelFault::make("honest", [](auto&, bool) {}));
    for (const Result& result :
         check_equality<float>(backend, c, reference_of<float>(c, 1), two_threads())) {
      EXPECT_EQ(result.verdict, Verdict::pass) << name;
    }
  }
}

TEST(Threads, BitsMayDifferWhereTheBackendPromisesNothing) {
  for (const PlantedFault& planted : planted_faults()) {
    if (planted.fault.name != "bits_depend_on_threads") continue;
    const FaultyBackend backend(planted.fault, /*same_for_all_threads=*/false);
    const Case& c = find_case(planted.case_name);
    for (const Result& result :
         check_equality<double>(backend, c, reference_of<double>(c, 1), two_threads())) {
      EXPECT_EQ(result.verdict, Verdict::pass);
    }
  }
}

/// The same faults in a small case, against the oracles alone.
TEST(Oracles, CatchFaultsInTheGradientAndSayWhichLegIsWrong) {
  const Case& c = find_case("lstm/plain/T7-B3-I5-H4");
  const auto reference = reference_of<double>(c, 1);
  int caught = 0;
  for (const PlantedFault& planted : planted_faults()) {
    const std::string name = planted.fault.name;
    // Faults of the backward pass of this cell; those of bits and of forward are not the oracles'.
    if (!std::string(planted.case_name).starts_with("lstm/plain") ||
        std::string(planted.check) != "equality" || std::string(planted.tensor) == "y" ||
        name == "early_dx_is_zero") {
      continue;
    }
    const Result result = check_gradient(FaultyBackend(planted.fault), c, reference, 1);
    EXPECT_EQ(result.verdict, Verdict::fail) << name;
    bool named = false;
    for (const Finding& finding : result.findings) {
      EXPECT_THAT(finding.message, HasSubstr("the analytic gradient is the odd one out")) << name;
      EXPECT_FALSE(finding.time_step.empty()) << name;
      named = named || finding.place.tensor == planted.tensor;
    }
    EXPECT_TRUE(named) << name;
    ++caught;
  }
  EXPECT_GE(caught, 10);
}

TEST(Oracles, SayFromWhichUpstreamStepAParameterGradientIsWrong) {
  const Case& c = find_case("lstm/plain/T7-B3-I5-H4");
  const auto reference = reference_of<double>(c, 1);
  for (const PlantedFault& planted : planted_faults()) {
    if (planted.fault.name != "truncated_bptt") continue;
    const Result result = check_gradient(FaultyBackend(planted.fault), c, reference, 1);
    for (const Finding& finding : result.findings) {
      if (finding.place.tensor != "grad.weight_hh_l0") continue;
      EXPECT_EQ(finding.time_step, "wrong from upstream step 3 on");
    }
  }
}

TEST(Oracles, PassAnHonestBackendAtKinks) {
  for (const char* name : {"rnn:relu/plain/T7-B3-I5-H4", "rnn:leaky_relu/lengths/T7-B3-I5-H4"}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const Case& c = find_case(name);
      const Result result =
          check_gradient(FaultyBackend(honest), c, reference_of<double>(c, seed), seed);
      EXPECT_EQ(result.verdict, Verdict::pass) << name << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace bptt::verify
