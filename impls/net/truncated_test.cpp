// Truncated BPTT against full BPTT, against training in chunks, and against the complex step.
#include "impls/net/truncated.hpp"

#include <algorithm>
#include <complex>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>

#include "impls/naive/naive.hpp"
#include "impls/net/initialise.hpp"
#include "impls/net/stack_params.hpp"

namespace bptt::net {
namespace {

using ::testing::HasSubstr;

constexpr Index steps = 12, batch = 2;

template <Scalar T>
PlanMaker<T> naive_plans() {
  return [](const Spec& spec) { return naive::make_plan<T>(spec); };
}

StackSpec stack_of(const char* cell, Index T) {
  return {parse_cell(cell), {T, batch, 3, 5}, 2, false, false};
}

/// A sequence of `steps` steps: inputs, and the gradient of the loss, which is <dy,y>, that each
/// step's output has. Drawn in double, so that every type has the same.
template <Scalar T>
struct Sequence {
  explicit Sequence(const char* cell, std::uint64_t seed = 1)
      : params(stack_of(cell, 1)), x({steps, batch, 3}), dy({steps, batch, 5}) {
    Random random(seed);
    const StackSpec spec = stack_of(cell, 1);
    for (Index layer = 0; layer < spec.layers; ++layer) {
      initialise(spec.layer_spec(layer), params.views()[static_cast<std::size_t>(layer)], random);
    }
    fill_normal(x.view(), 1, random);
    fill_normal(dy.view(), 1, random);
  }
  std::vector<Params<const T>> read() const { return read_only(params.views()); }
  StackParams<T> params;
  Tensor<T> x, dy;
};

/// All parameters, or all gradients, one after the other.
template <Scalar T>
std::vector<T> flat(const std::vector<Params<T>>& params, const StackSpec& spec) {
  std::vector<T> all;
  for_each_parameter(spec, params, [&](const std::string&, const TensorInfo&, const View<T>& view) {
    all.insert(all.end(), view.begin(), view.end());
  });
  return all;
}

template <class T>
void copy_steps(View<T> from, Index begin, View<T> to) {
  const Index row = from.size() / from.extents()[0];
  std::copy_n(from.data() + begin * row, to.size(), to.data());
}

/// The gradients of all updates over the sequence, the parameters standing still; `visit` sees each
/// update's, and may change the parameters.
template <Scalar T, class Visit>
void learn(const char* cell, const Truncation& truncation, Sequence<T>& sequence, Visit visit) {
  const StackSpec spec = stack_of(cell, truncation.k2);
  TruncatedStack<T> stack(spec, truncation, naive_plans<T>());
  StackParams<T> grads(spec);
  for (Index update = 0; (update + 1) * truncation.k1 <= steps; ++update) {
    copy_steps(sequence.x.view(), stack.stretch().begin, stack.x());
    stack.forward(sequence.read());
    copy_steps(sequence.dy.view(), update * truncation.k1, stack.dy());
    stack.backward(sequence.read(), grads.views());
    visit(stack, flat(grads.views(), spec));
    stack.advance(sequence.read());
  }
}

template <class T>
void expect_close(const std::vector<T>& a, const std::vector<T>& b, double tolerance = 1e-12) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], tolerance * (1 + std::abs(b[i]))) << i;
  }
}

std::vector<double> full_bptt(const char* cell) {
  Sequence<double> sequence(cell);
  const StackSpec spec = stack_of(cell, steps);
  Stack<double> stack(spec, naive_plans<double>());
  StackParams<double> grads(spec);
  Tensor<double> y({steps, batch, 5});
  const Inputs<const double> in{sequence.x.view(), {}, {}, {}};
  stack.forward(sequence.read(), in, {y.view(), {}, {}});
  stack.backward(sequence.read(), in, {sequence.dy.view(), {}, {}}, {grads.views(), {}, {}, {}});
  return flat(grads.views(), spec);
}

constexpr const char* cells[] = {"rnn", "lstm", "gru:reset=after_matmul:update=keep"};

TEST(Truncated, BackThroughTheWholeSequenceIsFullBptt) {
  for (const char* cell : cells) {
    for (const Index k1 : {1, 3, 4, 12}) {
      Sequence<double> sequence(cell);
      std::vector<double> sum;
      learn<double>(cell, {k1, steps}, sequence, [&](auto&, const std::vector<double>& grads) {
        sum.resize(grads.size());
        std::transform(grads.begin(), grads.end(), sum.begin(), sum.begin(), std::plus<>());
      });
      expect_close(sum, full_bptt(cell));
    }
  }
}

TEST(Truncated, BackThroughLessIsNot) {
  Sequence<double> sequence("lstm");
  std::vector<double> sum;
  learn<double>("lstm", {3, 6}, sequence, [&](auto&, const std::vector<double>& grads) {
    sum.resize(grads.size());
    std::transform(grads.begin(), grads.end(), sum.begin(), sum.begin(), std::plus<>());
  });
  const auto full = full_bptt("lstm");
  double difference = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    difference = std::max(difference, std::abs(sum[i] - full[i]));
  }
  EXPECT_GT(difference, 1e-4);
}

TEST(Truncated, EqualK1AndK2AreChunksWithTheStateCarriedOver) {
  constexpr Index k = 4;
  constexpr double rate = 0.1;
  for (const char* cell : cells) {
    // By hand: a stack of k steps, its last state the next chunk's first.
    Sequence<double> sequence(cell), chunked(cell);
    const StackSpec spec = stack_of(cell, k);
    const bool has_c = spec.cell.has_cell_state();
    Stack<double> stack(spec, naive_plans<double>());
    StackParams<double> grads(spec);
    const Extents state{2, batch, 5};
    Tensor<double> y({k, batch, 5}), x({k, batch, 3}), dy({k, batch, 5}), h0(state), hT(state);
    Tensor<double> c0 = has_c ? Tensor<double>(state) : Tensor<double>();
    Tensor<double> cT = has_c ? Tensor<double>(state) : Tensor<double>();
    std::vector<std::vector<double>> expected;
    const auto step = [&](StackParams<double>& params, const std::vector<double>& gradient) {
      std::size_t at = 0;
      for_each_parameter(spec, params.views(), [&](const auto&, const auto&, View<double> view) {
        for (double& value : view) value -= rate * gradient[at++];
      });
    };
    for (Index begin = 0; begin < steps; begin += k) {
      copy_steps(chunked.x.view(), begin, x.view());
      copy_steps(chunked.dy.view(), begin, dy.view());
      const Inputs<const double> in{x.view(), h0.view(), c0.view(), {}};
      stack.forward(chunked.read(), in, {y.view(), hT.view(), cT.view()});
      stack.backward(chunked.read(), in, {dy.view(), {}, {}}, {grads.views(), {}, {}, {}});
      expected.push_back(flat(grads.views(), spec));
      std::copy(hT.view().begin(), hT.view().end(), h0.view().begin());
      std::copy(cT.view().begin(), cT.view().end(), c0.view().begin());
      step(chunked.params, expected.back());
    }
    std::size_t update = 0;
    learn<double>(cell, {k, k}, sequence, [&](auto&, const std::vector<double>& came) {
      expect_close(came, expected[update++], 1e-15);
      step(sequence.params, came);
    });
    EXPECT_EQ(update, expected.size());
  }
}

/// The state after `count` steps from zero.
std::pair<Tensor<double>, Tensor<double>> state_after(const char* cell, Index count,
                                                      Sequence<double>& sequence) {
  const Extents state{2, batch, 5};
  std::pair<Tensor<double>, Tensor<double>> reached(state, state);
  if (count == 0) return reached;
  const StackSpec spec = stack_of(cell, count);
  Stack<double> stack(spec, naive_plans<double>());
  Tensor<double> x({count, batch, 3}), y({count, batch, 5});
  copy_steps(sequence.x.view(), 0, x.view());
  const View<double> cT = spec.cell.has_cell_state() ? reached.second.view() : View<double>();
  stack.forward(sequence.read(), {x.view(), {}, {}, {}}, {y.view(), reached.first.view(), cT});
  return reached;
}

constexpr Truncation truncations[] = {{3, 5}, {3, 6}, {4, 4}, {2, 7}, {1, 12}, {5, 6}};

TEST(Truncated, TheStateCarriedOverIsTheSequencesOwn) {
  for (const char* cell : cells) {
    for (const Truncation& truncation : truncations) {
      Sequence<double> sequence(cell);
      learn<double>(cell, truncation, sequence, [&](TruncatedStack<double>& stack, const auto&) {
        const auto [h, c] = state_after(cell, stack.stretch().begin, sequence);
        for (Index i = 0; i < h.view().size(); ++i) {
          EXPECT_NEAR(stack.h0()[i], h.view()[i], 1e-14) << to_string(truncation);
          if (stack.c0()) {
            EXPECT_NEAR(stack.c0()[i], c.view()[i], 1e-14) << to_string(truncation);
          }
        }
      });
    }
  }
}

/// The losses of an update's k1 steps, as a function of the parameters alone.
std::complex<double> loss_of(const char* cell, const Truncation& truncation, Index update,
                             TruncatedStack<double>& at, Sequence<std::complex<double>>& sequence) {
  using C = std::complex<double>;
  const Stretch stretch = stretch_of(truncation, update);
  const Index count = stretch.loss_begin + truncation.k1;
  const StackSpec spec = stack_of(cell, count);
  Stack<C> stack(spec, naive_plans<C>());
  const Extents state{2, batch, 5};
  Tensor<C> x({count, batch, 3}), y({count, batch, 5}), h0(state), c0(state);
  copy_steps(sequence.x.view(), stretch.begin, x.view());
  std::copy(at.h0().begin(), at.h0().end(), h0.view().begin());
  std::copy(at.c0().begin(), at.c0().end(), c0.view().begin());
  const View<C> c = spec.cell.has_cell_state() ? c0.view() : View<C>();
  stack.forward(sequence.read(), {x.view(), h0.view(), c, {}}, {y.view(), {}, {}});
  const Index row = batch * 5;
  return std::inner_product(sequence.dy.view().data() + update * truncation.k1 * row,
                            sequence.dy.view().data() + (update + 1) * truncation.k1 * row,
                            y.view().data() + stretch.loss_begin * row, C{});
}

TEST(Truncated, GradientsAreThoseOfTheComplexStep) {
  constexpr double step = 1e-30;
  for (const char* cell : cells) {
    for (const Truncation& truncation : {Truncation{3, 5}, Truncation{4, 8}}) {
      Sequence<double> sequence(cell);
      Sequence<std::complex<double>> moved(cell);
      Index update = 0;
      learn<double>(cell, truncation, sequence, [&](auto& stack, const std::vector<double>& grads) {
        std::size_t at = 0;
        for_each_parameter(stack_of(cell, 1), moved.params.views(),
                           [&](const std::string& name, const TensorInfo&, auto view) {
                             for (auto& value : view) {
                               value += std::complex<double>(0, step);
                               const auto loss = loss_of(cell, truncation, update, stack, moved);
                               value = value.real();
                               const double exact = loss.imag() / step;
                               EXPECT_NEAR(grads[at++], exact, 1e-12 * (1 + std::abs(exact)))
                                   << name << ", update " << update;
                             }
                           });
        ++update;
      });
      EXPECT_EQ(update, steps / truncation.k1);
    }
  }
}

TEST(Truncated, StretchesCoverEveryLossOnceAndReachBackAsFarAsTheyMay) {
  for (const Truncation& truncation : truncations) {
    Stretch before;
    for (Index update = 0; update < 20; ++update) {
      const Stretch now = stretch_of(truncation, update);
      const Index first_loss = now.begin + now.loss_begin, end = first_loss + truncation.k1;
      EXPECT_EQ(first_loss, update * truncation.k1);
      EXPECT_EQ(now.begin, std::max<Index>(0, end - truncation.k2));
      EXPECT_LE(now.loss_begin + truncation.k1, truncation.k2);
      EXPECT_EQ(now.begin, before.begin + before.advance);
      EXPECT_LE(now.advance, truncation.k1);
      before = now;
    }
  }
}

std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

TEST(Truncated, TextAndBack) {
  EXPECT_EQ(parse_truncation("--truncate", "7"), (Truncation{7, 7}));
  EXPECT_EQ(to_string(parse_truncation("--truncate", "3,5")), "3,5");
  for (const char* text : {"", "0", "5,3", "3,", ",3", "3,5,7", "-1", "3,x", "3 ,5"}) {
    EXPECT_THAT(complaint([&] { parse_truncation("--truncate", text); }),
                HasSubstr("--truncate: expected K1 or K1,K2"))
        << text;
  }
}

TEST(Truncated, CountsItsStacksAndItsOwnBuffers) {
  const auto maker = naive_plans<double>();
  const StackSpec spec = stack_of("lstm", 5);
  const std::size_t window = Stack<double>(spec, maker).workspace_bytes();
  // x, y and dy, and the states h0, c0, hT, cT of two layers.
  const std::size_t buffers = sizeof(double) * (5 * batch * (3 + 2 * 5) + 4 * 2 * batch * 5);
  EXPECT_EQ(TruncatedStack<double>(spec, {5, 5}, maker).workspace_bytes(), window + buffers);
  // What carries the state over: a stack of k1 steps, its y, and how far each sequence goes.
  const Truncation truncation{3, 5};
  const auto carrier = TruncatedStack<double>::carrier_spec(spec, truncation);
  ASSERT_TRUE(carrier);
  EXPECT_EQ(TruncatedStack<double>(spec, truncation, maker).workspace_bytes(),
            window + buffers + Stack<double>(*carrier, maker).workspace_bytes() +
                sizeof(double) * 3 * batch * 5 + sizeof(Index) * batch);
}

TEST(Truncated, RefusesWhatHasNoStateToCarry) {
  const auto made = [](StackSpec spec) {
    return complaint([&] { TruncatedStack<double>(spec, {2, 4}, naive_plans<double>()); });
  };
  StackSpec spec = stack_of("lstm", 4);
  EXPECT_EQ(made(spec), "accepted");
  spec.bidirectional = true;
  EXPECT_THAT(made(spec), HasSubstr("one direction"));
  spec = stack_of("lstm", 5);
  EXPECT_THAT(made(spec), HasSubstr("expected T = k2 = 4; got T = 5"));
  spec = stack_of("lstm", 4);
  spec.lengths = true;
  EXPECT_THAT(made(spec), HasSubstr("one length"));
}

}  // namespace
}  // namespace bptt::net
