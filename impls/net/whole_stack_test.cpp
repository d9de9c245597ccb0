// Stacks that a backend plans as a whole, against the same backend's plans of their layers and
// directions: equal within rounding, whichever tensors are given.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/net/model_check.hpp"
#include "impls/net/stack.hpp"
#include "impls/net/stack_params.hpp"

namespace bptt::net {
namespace {

/// A stack's tensors, filled; results are NaN until they are computed.
template <Real T>
struct StackProblem {
  explicit StackProblem(const StackSpec& spec)
      : params(spec),
        grads(spec),
        x({spec.shape.T, spec.shape.B, spec.shape.I}),
        dx({spec.shape.T, spec.shape.B, spec.shape.I}),
        y(output_extents(spec)),
        dy(output_extents(spec)) {
    for (Tensor<T>* state : {&h0, &hT, &dhT, &dh0}) *state = Tensor<T>(state_extents(spec));
    for (Tensor<T>* state : {&c0, &cT, &dcT, &dc0}) *state = Tensor<T>(cell_state_extents(spec));
    Index k = 0;
    const auto fill = [&](const View<T>& view) {
      for (T& element : view) element = static_cast<T>(1.4 * number(++k) - 0.7);
    };
    for (Tensor<T>* given : {&x, &h0, &c0, &dy, &dhT, &dcT}) fill(given->view());
    for_each_parameter(spec, params.views(),
                       [&](const std::string&, const TensorInfo&, const auto& v) { fill(v); });
    const T nan = std::numeric_limits<T>::quiet_NaN();
    for (Tensor<T>* result : {&y, &hT, &cT, &dx, &dh0, &dc0}) {
      std::ranges::fill(result->view(), nan);
    }
    for_each_parameter(spec, grads.views(),
                       [&](const std::string&, const TensorInfo&, const auto& view) {
                         std::ranges::fill(view, nan);
                       });
  }

  StackParams<T> params, grads;
  Tensor<T> x, dx, y, dy, h0, hT, dhT, dh0, c0, cT, dcT, dc0;
};

/// Which of the tensors that may be absent are given.
struct Given {
  bool states, dy, results;
};

/// Runs it, twice: what the first call left may not matter.
template <Real T>
void run_twice(Stack<T>& stack, StackProblem<T>& p, const Given& given) {
  const auto if_given = [](bool is, Tensor<T>& tensor) { return is ? tensor.view() : View<T>(); };
  const auto params = read_only(p.params.views());
  const Inputs<T> in{p.x.view(), if_given(given.states, p.h0), if_given(given.states, p.c0)};
  const OutputGrads<T> dout{if_given(given.dy, p.dy), if_given(given.states || !given.dy, p.dhT),
                            if_given(given.states, p.dcT)};
  StackGrads<T> grads{{},
                      if_given(given.results, p.dx),
                      if_given(given.results, p.dh0),
                      if_given(given.results, p.dc0)};
  std::vector<Params<T>> some = p.grads.views();
  if (!given.results) some.front() = {};
  grads.params = some;
  for (int call = 0; call < 2; ++call) {
    stack.forward(params, in,
                  {p.y.view(), if_given(given.results, p.hT), if_given(given.results, p.cT)});
    stack.backward(params, in, dout, grads);
  }
}

template <Real T>
void expect_near_all(const View<T>& came, const View<T>& expected, const std::string& name) {
  const double roundings = 500 * static_cast<double>(std::numeric_limits<T>::epsilon());
  double largest = 0;
  for (const T value : expected) largest = std::max(largest, std::abs(double{value}));
  for (Index e = 0; e < came.size(); ++e) {
    // What was not wanted was not touched.
    if (std::isnan(expected[e]) && std::isnan(came[e])) continue;
    ASSERT_NEAR(came[e], expected[e], roundings * largest) << name << "[" << e << "]";
  }
}

/// The backend's plan of the whole against the stack composed of its plans.
template <Real T>
void expect_whole_as_composed(const Backend& backend, const StackSpec& spec, const Exec& exec) {
  SCOPED_TRACE(to_string(spec) + ", " + std::to_string(exec.threads) + " threads");
  const PlanMaker<T> one_by_one([&](const Spec& layer) { return backend.plan<T>(layer, exec); });
  Stack<T> whole(spec, {backend, exec}), composed(spec, one_by_one);
  EXPECT_EQ(whole.workspace_bytes(), backend.stack_workspace_bytes(spec, dtype_of<T>, exec));
  for (const Given& given : {Given{true, true, true},
                             {false, true, true},
                             {true, false, true},
                             {false, false, true},
                             {true, true, false}}) {
    SCOPED_TRACE(std::to_string(given.states) + std::to_string(given.dy) +
                 std::to_string(given.results));
    StackProblem<T> came(spec), right(spec);
    run_twice(whole, came, given);
    run_twice(composed, right, given);
    using Tensors = StackProblem<T>;
    for (const auto& [name, tensor] : {std::pair{"y", &Tensors::y},
                                       {"hT", &Tensors::hT},
                                       {"cT", &Tensors::cT},
                                       {"dx", &Tensors::dx},
                                       {"dh0", &Tensors::dh0},
                                       {"dc0", &Tensors::dc0}}) {
      expect_near_all((came.*tensor).view(), (right.*tensor).view(), name);
    }
    const auto expected = right.grads.views();
    std::vector<View<T>> all;
    for_each_parameter(spec, expected, [&](const std::string&, const TensorInfo&, const auto& v) {
      all.push_back(v);
    });
    std::size_t next = 0;
    for_each_parameter(spec, came.grads.views(),
                       [&](const std::string& name, const TensorInfo&, const auto& view) {
                         expect_near_all(view, all[next++], name);
                       });
  }
}

std::vector<StackSpec> every_stack() {
  std::vector<StackSpec> all;
  for (const std::string cell :
       {"rnn", "rnn:bias=off", "lstm", "lstm:peephole", "gru", "gru:update=keep",
        "gru:reset=after_matmul", "gru:reset=after_matmul:update=keep:bias=off"}) {
    for (const Index input : {3, 9, 18}) {  // of 9 units: as many, and both directions' together
      for (const Index layers : {1, 2, 3}) {
        for (const bool bidirectional : {false, true}) {
          all.push_back({parse_cell(cell), {7, 5, input, 9}, layers, bidirectional});
        }
      }
    }
  }
  return all;
}

class WholeStacks : public testing::TestWithParam<const Backend*> {};

TEST_P(WholeStacks, AreThoseComposedOfLayers) {
  const Backend& backend = *GetParam();
  int tried = 0;
  for (const StackSpec& spec : every_stack()) {
    for (const Exec& exec : {Exec{.threads = 1}, Exec{.threads = 2}}) {
      for (const Dtype dtype : all_dtypes) {
        if (!backend.plans_whole(spec, dtype, exec)) continue;
        ++tried;
        dispatch(dtype, [&]<class T>(std::type_identity<T>) {
          expect_whole_as_composed<T>(backend, spec, exec);
        });
      }
    }
  }
  if (tried == 0) GTEST_SKIP() << "it plans layer by layer";
}

INSTANTIATE_TEST_SUITE_P(Networks, WholeStacks, testing::ValuesIn(backends()),
                         [](const auto& param) { return std::string(param.param->name()); });

}  // namespace
}  // namespace bptt::net
