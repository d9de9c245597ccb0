// Whole stacks at a benchmark's shape: honest ones pass, composed or planned as a whole, and what
// goes wrong between layers and directions is found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/net/sequences.hpp"
#include "impls/net/stack.hpp"
#include "verify/at_shape.hpp"
#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/whole_stack_backend.hpp"
#include "verify/subjects.hpp"

namespace bptt::verify {
namespace {

using ::testing::HasSubstr;

StackSpec stack_of(const char* cell, const Shape& shape, Index layers, bool bidirectional,
                   bool lengths = false) {
  return {parse_cell(cell), shape, layers, bidirectional, lengths};
}

const StackSpec stacks[] = {
    stack_of("lstm", {9, 6, 7, 11}, 2, false),
    stack_of("gru", {6, 5, 4, 9}, 1, true),
    stack_of("rnn:relu", {5, 4, 6, 12}, 3, true),
    stack_of("lstm:peephole", {7, 5, 6, 8}, 2, true, true),
};

AtShape check(const Backend& backend, const StackSpec& spec, Dtype dtype, int threads = 1) {
  const auto lengths = spec.lengths ? unsorted_lengths(spec.shape) : std::vector<Index>();
  Exec exec;
  exec.threads = threads;
  return ShapeChecks().check(backend, spec, dtype, exec, 1, lengths);
}

TEST(StackAtShape, PassesEveryBackendComposedOrWhole) {
  int checked = 0;
  for (const Backend* backend : backends()) {
    const WholeStackBackend whole(*backend);
    for (const StackSpec& spec : stacks) {
      for (const Dtype dtype : all_dtypes) {
        for (const int threads : {1, 2}) {
          Exec exec;
          exec.threads = threads;
          if (net::stack_refusal(*backend, spec, dtype, exec)) continue;
          for (const Backend* who : {backend, static_cast<const Backend*>(&whole)}) {
            const AtShape found = check(*who, spec, dtype, threads);
            EXPECT_EQ(found.status, AtShape::Status::full)
                << backend->name() << ' ' << who->name() << ' ' << to_string(spec) << ' '
                << name_of(dtype) << ": " << found.note;
            EXPECT_GT(found.max_error, 0);
            EXPECT_LT(found.max_error, 1);
            ++checked;
          }
        }
      }
    }
    EXPECT_GT(whole.plans_made(), 0) << "the backend's own plans were not asked for";
  }
  EXPECT_GT(checked, 16);
}

TEST(StackAtShape, CutsTimeOfTheWholeAndSaysSo) {
  const AtShape found =
      check(*backends().back(), stack_of("lstm", {400, 3, 128, 128}, 2, true), Dtype::f32);
  EXPECT_EQ(found.status, AtShape::Status::reduced) << found.note;
  EXPECT_THAT(found.note, testing::MatchesRegex("verified at T=[0-9]+ of 400"));
}

/// The state features of the second direction as if it read the sequence forwards.
constexpr auto not_reversed = []<Real T>(StackCall<T>& c) {
  if (c.backward || c.spec.layers != 1) return;
  const StackSpec one{.cell = c.spec.cell, .shape = c.spec.shape};
  net::Stack<T> plan(one, net::PlanMaker<T>(*backends().front(), Exec{}));
  const Index B = one.shape.B, H = one.shape.H;
  Tensor<T> y({one.shape.T, B, H}), states({2, B, H});
  const Inputs<const T> in{c.in.x,
                           View<const T>(&c.in.h0(1, 0, 0), {1, B, H}),
                           c.in.c0 ? View<const T>(&c.in.c0(1, 0, 0), {1, B, H}) : View<const T>(),
                           {}};
  plan.forward(c.params.subspan(1, 1), in, {y.view(), {}, {}});
  for (Index step = 0; step < one.shape.T * B; ++step) {
    std::copy_n(y.view().data() + step * H, H, c.out.y.data() + step * 2 * H + H);
  }
};

/// Layer 1 reads what layer 0 made of the first step, at every step.
constexpr auto first_step_only = []<Real T>(StackCall<T>& c) {
  if (c.backward || c.spec.layers != 2) return;
  const StackSpec below{.cell = c.spec.cell, .shape = c.spec.shape};
  StackSpec above = below;
  above.shape.I = below.shape.H;
  const Index B = below.shape.B, H = below.shape.H;
  Tensor<T> between({below.shape.T, B, H});
  const auto run = [&](const StackSpec& spec, Index layer, View<const T> x, const Outputs<T>& out) {
    net::Stack<T> plan(spec, net::PlanMaker<T>(*backends().front(), Exec{}));
    const auto state = [&](const View<const T>& of_all) {
      return of_all ? View<const T>(&of_all(layer, 0, 0), {1, B, H}) : View<const T>();
    };
    plan.forward(c.params.subspan(static_cast<std::size_t>(layer), 1),
                 {x, state(c.in.h0), state(c.in.c0), {}}, out);
  };
  run(below, 0, c.in.x, {between.view(), {}, {}});
  for (Index t = 1; t < below.shape.T; ++t) {
    std::copy_n(between.view().data(), B * H, between.view().data() + t * B * H);
  }
  run(above, 1, std::as_const(between).view(), {c.out.y, {}, {}});
};

/// Gradients of the two directions' recurrent weights in each other's place.
constexpr auto directions_swapped = []<Real T>(StackCall<T>& c) {
  if (!c.backward || c.grads.params.size() < 2) return;
  const View<T>& one = c.grads.params[0].weight_hh;
  std::swap_ranges(one.begin(), one.end(), c.grads.params[1].weight_hh.begin());
};

TEST(StackAtShape, FindsWhatGoesWrongBetweenLayersAndDirections) {
  struct Planted {
    StackFault fault;
    StackSpec spec;
    const char* named;
  };
  const Planted all[] = {
      {StackFault::make(not_reversed), stack_of("lstm", {9, 6, 7, 11}, 1, true), "y t="},
      {StackFault::make(first_step_only), stack_of("gru", {9, 6, 7, 11}, 2, false), "y t="},
      {StackFault::make(directions_swapped), stack_of("lstm", {9, 6, 7, 11}, 2, true),
       "grad.weight_hh_l0"},
  };
  for (const Planted& planted : all) {
    for (const Dtype dtype : all_dtypes) {
      const WholeStackBackend faulty(*backends().front(), planted.fault);
      const AtShape found = check(faulty, planted.spec, dtype);
      EXPECT_EQ(found.status, AtShape::Status::failed) << planted.named;
      EXPECT_GT(found.max_error, 1);
      EXPECT_THAT(found.note, HasSubstr(planted.named));
    }
  }
}

TEST(StackAtShape, AReferenceIsMadeOnceForABackendBeforeAndAfter) {
  // Were it another one, the errors would not be the same to the last bit.
  ShapeChecks checks;
  const StackSpec spec = stack_of("lstm", {9, 6, 7, 11}, 2, true);
  const auto one = checks.check(*backends().front(), spec, Dtype::f32, {}, 1);
  const auto other_seed = checks.check(*backends().front(), spec, Dtype::f32, {}, 2);
  const auto again = checks.check(*backends().front(), spec, Dtype::f32, {}, 1);
  EXPECT_EQ(one.max_error, again.max_error);
  EXPECT_NE(one.max_error, other_seed.max_error);
}

}  // namespace
}  // namespace bptt::verify
