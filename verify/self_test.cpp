// Every planted fault is caught by the check that should catch it, and nothing else is reported of
// an honest backend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/equality.hpp"
#include "verify/faults.hpp"
#include "verify/oracles.hpp"

namespace bptt::verify {
namespace {

using testing::HasSubstr;

const Case& find_case(const std::string& name) {
  for (const Case& c : all_cases()) {
    if (c.name == name) return c;
  }
  throw Error(ErrorKind::usage, name + ": no such case");
}

const Fault honest = Fault::make("honest", [](auto&) {});

struct Planted {
  PlantedFault planted;
  Dtype dtype;
};

void PrintTo(const Planted& p, std::ostream* out) {
  *out << p.planted.fault.name;
}

class PlantedFaults : public testing::TestWithParam<Planted> {};

std::vector<Planted> all_planted() {
  std::vector<Planted> all;
  for (const PlantedFault& planted : planted_faults()) {
    for (const Dtype dtype : all_dtypes) all.push_back({planted, dtype});
  }
  return all;
}

TEST_P(PlantedFaults, AreCaughtAndNamed) {
  const auto& [planted, dtype] = GetParam();
  const Case& c = find_case(planted.case_name);
  const FaultyBackend backend(planted.fault);
  const EqualityOptions options{{1, 2}, 1, true};
  const auto results = dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    return check_equality<T>(backend, c, *reference_of<T>(c, 1), options);
  });
  bool caught = false;
  for (const Result& result : results) {
    for (const Finding& finding : result.findings) {
      EXPECT_FALSE(finding.time_step.empty()) << finding.place.tensor;
      if (finding.check != planted.check || finding.place.tensor != planted.tensor) continue;
      caught = true;
      EXPECT_EQ(result.verdict, Verdict::fail);
      EXPECT_THAT(finding.time_step, HasSubstr(planted.time_step));
    }
  }
  EXPECT_TRUE(caught) << "no finding of check " << planted.check << " in " << planted.tensor;
}

INSTANTIATE_TEST_SUITE_P(All, PlantedFaults, testing::ValuesIn(all_planted()),
                         [](const auto& test) {
                           return test.param.planted.fault.name + "_" +
                                  std::string(name_of(test.param.dtype));
                         });

TEST(HonestBackend, PassesWhereFaultsArePlanted) {
  const FaultyBackend backend(honest);
  for (const char* name :
       {"lstm/plain/T50-B3-I5-H17", "lstm/lengths/T50-B3-I5-H17", "gru/plain/T50-B3-I5-H17"}) {
    const Case& c = find_case(name);
    for (const Result& result :
         check_equality<float>(backend, c, *reference_of<float>(c, 1), {{1, 2}, 1, true})) {
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
         check_equality<double>(backend, c, *reference_of<double>(c, 1), {{1, 2}, 1, true})) {
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
    const Result result = check_gradient(FaultyBackend(planted.fault), c, *reference, 1);
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
    const Result result = check_gradient(FaultyBackend(planted.fault), c, *reference, 1);
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
          check_gradient(FaultyBackend(honest), c, *reference_of<double>(c, seed), seed);
      EXPECT_EQ(result.verdict, Verdict::pass) << name << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace bptt::verify
