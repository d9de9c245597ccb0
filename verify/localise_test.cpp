// What a failure names: the leg that is the odd one out, the tensor that diverged first in the
// order of the computation, and in it the element.
#include "verify/localise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "verify/equality.hpp"
#include "verify/golden.hpp"
#include "verify/self_test/faulty_backend.hpp"
#include "verify/written_golden.hpp"

namespace bptt::verify {
namespace {

using testing::HasSubstr;

/// Adds to one element of dW_hh in backward.
Fault off_by(double amount) {
  return Fault::make("off", [amount]<class T>(FaultContext<T>& c) {
    if (c.backward) c.grads.params.weight_hh[5] += static_cast<T>(amount);
  });
}

std::string message_of(const Written& file, const Backend& backend, Dtype dtype) {
  file.write();
  const Result result = GoldenCheck(read_golden(file.path), 1).check(backend, dtype, Exec{});
  EXPECT_EQ(result.verdict, Verdict::fail);
  return result.findings.empty() ? "" : result.findings.front().message;
}

TEST(OddOneOut, TheFileIsNamedWhereTheOtherLegsAgreeWithTheBackend) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  file.off = 0.25;
  for (const Dtype dtype : all_dtypes) {
    const std::string message = message_of(file, *backends().front(), dtype);
    EXPECT_THAT(message, HasSubstr("the file is the odd one out: naive in long double ("));
    EXPECT_THAT(message, HasSubstr(") and the complex step ("));
  }
}

TEST(OddOneOut, TheBackendIsNamedWhereTheyAgreeWithTheFile) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  for (const Dtype dtype : all_dtypes) {
    EXPECT_THAT(message_of(file, FaultyBackend(off_by(0.25)), dtype),
                HasSubstr("the backend is the odd one out: naive in long double ("));
  }
}

TEST(OddOneOut, NeitherWhereBothAreWrong) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  file.off = 0.25;
  // The file's element is the first; the backend's fifth is wrong by more, and is the worst.
  const Fault both = Fault::make("both", []<class T>(FaultContext<T>& c) {
    if (c.backward) c.grads.params.weight_hh[0] += T(0.5);
  });
  EXPECT_THAT(message_of(file, FaultyBackend(both), Dtype::f64),
              HasSubstr("agree with neither the file nor the backend"));
}

Result equality_of(const Fault& fault, const Case& c) {
  EqualityOptions options;
  options.localise = false;
  return check_equality<double>(FaultyBackend(fault), c, reference_of<double>(c, 1), options)
      .front();
}

TEST(FirstDiverging, ForwardComesBeforeBackwardAndEarlyStepsBeforeLate) {
  const Fault fault = Fault::make("y and dx", []<class T>(FaultContext<T>& c) {
    if (c.backward) {
      c.grads.params.weight_hh[3] += T(1);
      c.grads.x(1, 0, 0) += T(9);
      c.grads.x(5, 2, 1) += T(1);
    } else {
      c.out.y(2, 1, 3) += T(1);
      c.out.y(4, 0, 0) += T(9);
    }
  });
  const Result result = equality_of(fault, layer_case("lstm", {7, 3, 5, 4}, Variant::plain));
  ASSERT_EQ(result.findings.size(), 3U);
  // Each has its worst element as its place, and says which was computed first.
  EXPECT_EQ(to_string(result.findings[0].place), "y t=4 batch 0 column 0");
  EXPECT_THAT(result.findings[0].message, HasSubstr("the first computed y t=2 batch 1 column 3"));
  EXPECT_EQ(result.findings[1].place.tensor, "grad.weight_hh_l0");
  EXPECT_EQ(to_string(result.findings[2].place), "grad.x t=1 batch 0 column 0");
  EXPECT_THAT(result.findings[2].message,
              HasSubstr("the first computed grad.x t=5 batch 2 column 1: got "));
}

TEST(FirstDiverging, BackwardRunsFromTheTopLayerDown) {
  const Fault fault = Fault::make("every dW", []<class T>(FaultContext<T>& c) {
    if (c.backward) c.grads.params.weight_ih[2] += T(1);
  });
  const Case& c = find_case("lstm/3-layers-bidirectional-lengths/T6-B4-I3-H2");
  const Result result = equality_of(fault, c);
  ASSERT_EQ(result.findings.size(), 6U);
  EXPECT_EQ(result.findings[0].place.tensor, "grad.weight_ih_l2");
  EXPECT_EQ(result.findings[1].place.tensor, "grad.weight_ih_l2_reverse");
  EXPECT_EQ(result.findings[5].place.tensor, "grad.weight_ih_l0_reverse");
  EXPECT_EQ(to_string(result.findings[0].place), "grad.weight_ih_l2 gate i row 0 column 2");
}

}  // namespace
}  // namespace bptt::verify
