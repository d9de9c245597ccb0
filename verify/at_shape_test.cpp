// The check before timing: it passes honest backends at any shape, and catches what a fault does to
// the sampled rows, to the others, and to parameters.
#include "verify/at_shape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "verify/self_test/planted_fault.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {
namespace {

Spec spec_of(const char* cell, const Shape& shape, bool lengths = false) {
  Spec spec;
  spec.cell = parse_cell(cell);
  spec.shape = shape;
  spec.lengths = lengths;
  return spec;
}

AtShape check(const Backend& backend, const Spec& spec, Dtype dtype, const Exec& exec = {}) {
  const auto lengths = spec.lengths ? unsorted_lengths(spec.shape) : std::vector<Index>();
  return check_at_shape(backend, spec, dtype, exec, 1, lengths);
}

const Spec specs[] = {
    spec_of("lstm", {20, 12, 17, 33}),
    spec_of("gru", {1, 1, 1, 1}),
    spec_of("rnn:relu", {30, 9, 16, 24}),
    spec_of("gru:reset=after_matmul", {7, 2, 5, 9}),
    spec_of("lstm:bias=off", {9, 8, 3, 7}, true),
};

TEST(AtShape, PassesEveryBackendInFullWhereItIsSmallEnough) {
  for (const Backend* backend : backends()) {
    for (const Spec& spec : specs) {
      for (const Dtype dtype : all_dtypes) {
        if (backend->is_peer() && backend->refusal(spec, dtype, {})) continue;
        const AtShape found = check(*backend, spec, dtype);
        EXPECT_EQ(found.status, AtShape::Status::full)
            << backend->name() << ' ' << to_string(spec) << ": " << found.note;
        EXPECT_GT(found.max_error, 0);
        EXPECT_LT(found.max_error, 1);
      }
    }
  }
}

TEST(AtShape, CutsTimeFirstAndSaysSo) {
  const AtShape check = check_at_shape(*backends().back(), spec_of("lstm", {3000, 4, 128, 128}),
                                       Dtype::f32, Exec{}, 1);
  EXPECT_EQ(check.status, AtShape::Status::reduced) << check.note;
  EXPECT_THAT(check.note, testing::MatchesRegex("verified at T=[0-9]+ of 3000"));
}

TEST(AtShape, CatchesPlantedFaults) {
  const Spec plain = spec_of("lstm", {12, 6, 5, 9});
  for (const PlantedFault& planted : planted_faults()) {
    const std::string name = planted.name;
    // Bits are not compared here, and there is one run, of one layer, with one thread.
    const bool of_lstm = planted.case_name.starts_with("lstm/plain");
    if (planted.check != "equality" || !of_lstm || planted.recompute ||
        planted.threads.size() > 1) {
      continue;
    }
    for (const Dtype dtype : all_dtypes) {
      // Its median element is next to nothing here, as half of the rows have no gradient.
      if (name.starts_with("one element of dx off") && dtype == Dtype::f32) continue;
      const AtShape check =
          check_at_shape(FaultyBackend(planted.in_plans), plain, dtype, Exec{}, 1);
      EXPECT_EQ(check.status, AtShape::Status::failed) << name;
      EXPECT_GT(check.max_error, 1) << name;
      EXPECT_FALSE(check.note.empty());
    }
  }
}

TEST(AtShape, CatchesGradientsLeakingIntoOtherRows) {
  const Fault leak = Fault::make("leak", []<class T>(FaultContext<T>& c) {
    if (c.backward) c.grads.x(3, 1, 0) = std::numeric_limits<T>::denorm_min();
  });
  const AtShape check =
      check_at_shape(FaultyBackend(leak), spec_of("lstm", {12, 6, 5, 9}), Dtype::f64, Exec{}, 1);
  EXPECT_EQ(check.status, AtShape::Status::failed);
  EXPECT_THAT(check.note, testing::HasSubstr("grad.x t=3 batch 1 column 0"));
}

/// y is off by a tenth at one step of the sequences that have so many.
Fault wrong_at(Index step, Index length) {
  return Fault::make("wrong", [=]<class T>(FaultContext<T>& c) {
    if (c.backward) return;
    const Shape& s = c.spec.shape;
    for (Index b = 0; b < s.B; ++b) {
      if (c.in.lengths[static_cast<std::size_t>(b)] == length) c.out.y(step, b, 0) += T(0.1);
    }
  });
}

TEST(AtShape, LooksAtTheLongestAndAtTheShortestOfTheLengthsThatItIsGiven) {
  const Spec spec = spec_of("lstm", {12, 6, 5, 9}, true);
  const Index lengths[] = {5, 4, 2, 12, 6, 3};
  const auto check = [&](Index step, Index length) {
    return check_at_shape(FaultyBackend(wrong_at(step, length)), spec, Dtype::f64, {}, 1, lengths);
  };
  EXPECT_EQ(check(11, 12).status, AtShape::Status::failed);
  EXPECT_EQ(check(1, 2).status, AtShape::Status::failed);
  EXPECT_EQ(check(1, 7).status, AtShape::Status::full) << "there is none";
}

TEST(AtShape, CutsLengthsWithTime) {
  const Spec spec = spec_of("lstm", {3000, 4, 128, 128}, true);
  const Index lengths[] = {1, 3000, 30, 1500};
  std::vector<Index> seen;
  const Fault look = Fault::make("look", [&]<class T>(FaultContext<T>& c) {
    seen.assign(c.in.lengths.begin(), c.in.lengths.end());
  });
  const AtShape found = check_at_shape(FaultyBackend(look), spec, Dtype::f32, {}, 1, lengths);
  EXPECT_EQ(found.status, AtShape::Status::reduced) << found.note;
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_THAT(found.note, testing::HasSubstr("T=" + std::to_string(seen[1]) + " of 3000"));
  EXPECT_EQ(seen[0], 1);
  EXPECT_NEAR(static_cast<double>(seen[3]), static_cast<double>(seen[1]) / 2, 1);
}

TEST(AtShape, WantsLengthsWhereTheSpecHasThem) {
  const Index lengths[] = {1, 2, 3};
  const Spec without = spec_of("rnn", {3, 3, 1, 1}), with = spec_of("rnn", {3, 3, 1, 1}, true);
  EXPECT_THROW(check_at_shape(*backends().front(), without, Dtype::f64, {}, 1, lengths), Error);
  EXPECT_THROW(check_at_shape(*backends().front(), with, Dtype::f64, {}, 1), Error);
}

TEST(AtShape, ThrowsWhatTheBackendRefuses) {
  Exec two;
  two.threads = 2;
  EXPECT_THROW(check_at_shape(*backends().front(), specs[0], Dtype::f32, two, 1), Error);
}

}  // namespace
}  // namespace bptt::verify
