// Stacks: lengths against runs of each sequence by itself, two directions against two layers by
// hand, what is passed through, what may be absent, and what the boundary refuses.
#include "impls/net/stack.hpp"

#include <gmock/gmock.h>

#include "impls/net/model_check.hpp"
#include "impls/net/network.hpp"

namespace bptt::net {
namespace {

using testing::HasSubstr;

constexpr Shape shape{5, 3, 2, 4};

/// What element (i, b, k) of a tensor [N,B,W] is in a tensor of one sequence [n,1,W].
Index in_one(const Extents& e, Index element) {
  const Index W = e[2], row = element / W;
  return row / e[1] * W + element % W;
}
Index sequence_of(const Extents& e, Index element) {
  return element / e[2] % e[1];
}

class Lengths : public testing::TestWithParam<std::string> {};

// What is said of padding follows: x and dy are NaN there (fill_model), and those of one sequence
// have none.
TEST_P(Lengths, AreAsRunningEachSequenceByItself) {
  const std::vector<Index> lengths = {3, 5, 1};
  for (const bool bidirectional : {false, true}) {
    NetworkSpec spec{{parse_cell(GetParam()), shape, 2, bidirectional, true}};
    const auto batch = make_network<double>(spec, lengths, naive_plans<double>());
    fill_model(*batch);
    batch->forward();
    batch->backward();
    double loss = 0;
    std::vector<std::vector<double>> sums(batch->tensors().size());
    for (Index b = 0; b < shape.B; ++b) {
      const Index length = lengths[static_cast<std::size_t>(b)];
      spec.stack.lengths = false;
      spec.stack.shape = {length, 1, shape.I, shape.H};
      const auto one = make_network<double>(spec, {}, naive_plans<double>());
      fill_model(*one);
      const auto for_each_shared = [&](auto visit) {
        for (std::size_t i = 0; i < batch->tensors().size(); ++i) {
          const auto& from = batch->tensors()[i];
          const bool whole = from.role == Role::parameter;
          for (Index e = 0; e < from.value.size(); ++e) {
            if (!whole && (sequence_of(from.value.extents(), e) != b || is_padding(from, e)))
              continue;
            visit(i, e, whole ? e : in_one(from.value.extents(), e));
          }
        }
      };
      for_each_shared([&](std::size_t i, Index e, Index own) {
        one->tensors()[i].value[own] = batch->tensors()[i].value[e];
      });
      one->forward();
      one->backward();
      loss += one->loss();
      for_each_shared([&](std::size_t i, Index e, Index own) {
        const auto& all = batch->tensors()[i];
        const auto& alone = one->tensors()[i];
        if (all.role == Role::output) {
          EXPECT_EQ(all.value[e], alone.value[own]) << all.name;
        } else if (all.role == Role::input) {
          EXPECT_EQ(all.gradient[e], alone.gradient[own]) << all.name;
        }
        if (all.role != Role::parameter) return;
        sums[i].resize(static_cast<std::size_t>(all.value.size()));
        sums[i][static_cast<std::size_t>(e)] += alone.gradient[own];
      });
    }
    EXPECT_NEAR(batch->loss(), loss, 1e-13);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      for (std::size_t e = 0; e < sums[i].size(); ++e) {
        EXPECT_NEAR(batch->tensors()[i].gradient[static_cast<Index>(e)], sums[i][e], 1e-13)
            << batch->tensors()[i].name;
      }
    }
    for (const auto& tensor : batch->tensors()) {
      for (Index e = 0; e < tensor.value.size(); ++e) {
        if (!is_padding(tensor, e)) continue;
        if (tensor.role == Role::output) {
          EXPECT_EQ(tensor.value[e], 0) << tensor.name;
        } else if (tensor.role == Role::input) {
          EXPECT_EQ(tensor.gradient[e], 0) << tensor.name;
        }
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Stacks, Lengths,
                         testing::Values("rnn", "lstm", "gru",
                                         "gru:reset=after_matmul:update=keep"),
                         [](const auto& param) { return "cell" + std::to_string(param.index); });

/// Every tensor of a stack, filled with numbers.
template <Scalar T>
struct Tensors {
  explicit Tensors(const StackSpec& spec_of_all) : spec(spec_of_all) {
    const auto own = [this](const Extents& extents) {
      if (extents.rank() == 0) return View<T>();
      storage.emplace_back(extents);
      const View<T> view = storage.back().view();
      for (T& element : view) element = T(static_cast<float>(number(++filled) - 0.5));
      return view;
    };
    for (Index i = 0; i < spec.states(); ++i) {
      for (auto* set : {&params, &dparams}) {
        set->emplace_back();
        for_each(spec.layer_spec(i / spec.directions()), set->back(),
                 [&](const TensorInfo& info, const View<T>& view) {
                   const_cast<View<T>&>(view) = own(info.extents);
                 });
      }
    }
    const auto put = [&](const TensorInfo& info, const View<T>& view) {
      const_cast<View<T>&>(view) = own(info.extents);
    };
    for_each(spec, in, put);
    for_each(spec, din, put);
    for_each(spec, out, put);
    for_each(spec, dout, put);
    read_only_params = read_only(params);
  }
  void run(Stack<T>& stack) {
    stack.forward(read_only_params, in, out);
    stack.backward(read_only_params, in, dout, {dparams, din.x, din.h0, din.c0});
  }

  StackSpec spec;
  std::vector<Tensor<T>> storage;
  Index filled = 0;
  std::vector<Params<T>> params, dparams;
  std::vector<Params<const T>> read_only_params;
  Inputs<T> in, din;
  Outputs<T> out;
  OutputGrads<T> dout;
};

TEST(Stack, OfTwoDirectionsIsTwoLayersByHand) {
  const StackSpec spec{parse_cell("lstm"), shape, 1, true};
  Tensors<double> both(spec);
  Stack<double> stack(spec, naive_plans<double>());
  both.run(stack);
  for (Index d = 0; d < 2; ++d) {
    const auto turned = [&](Index t) { return d == 0 ? t : shape.T - 1 - t; };
    Problem<double> layer(spec.layer_spec(0));
    layer.params = both.params[static_cast<std::size_t>(d)];
    for (Index t = 0; t < shape.T; ++t) {
      for (Index b = 0; b < shape.B; ++b) {
        for (Index k = 0; k < shape.I; ++k) layer.in.x(t, b, k) = both.in.x(turned(t), b, k);
        for (Index k = 0; k < shape.H; ++k) {
          layer.dout.y(t, b, k) = both.dout.y(turned(t), b, d * shape.H + k);
        }
      }
    }
    for (Index b = 0; b < shape.B; ++b) {
      for (Index k = 0; k < shape.H; ++k) {
        layer.in.h0(b, k) = both.in.h0(d, b, k);
        layer.in.c0(b, k) = both.in.c0(d, b, k);
        layer.dout.hT(b, k) = both.dout.hT(d, b, k);
        layer.dout.cT(b, k) = both.dout.cT(d, b, k);
      }
    }
    const auto plan = naive::make_plan<double>(layer.spec());
    plan->forward(layer.params, layer.in, layer.out);
    plan->backward(layer.params, layer.in, layer.dout, layer.grads);
    for (Index t = 0; t < shape.T; ++t) {
      for (Index b = 0; b < shape.B; ++b) {
        for (Index k = 0; k < shape.H; ++k) {
          EXPECT_EQ(both.out.y(turned(t), b, d * shape.H + k), layer.out.y(t, b, k));
        }
        for (Index k = 0; k < shape.I; ++k) both.din.x(turned(t), b, k) -= layer.grads.x(t, b, k);
      }
    }
    for (Index b = 0; b < shape.B; ++b) {
      for (Index k = 0; k < shape.H; ++k) {
        EXPECT_EQ(both.out.hT(d, b, k), layer.out.hT(b, k));
        EXPECT_EQ(both.out.cT(d, b, k), layer.out.cT(b, k));
        EXPECT_EQ(both.din.h0(d, b, k), layer.grads.h0(b, k));
        EXPECT_EQ(both.din.c0(d, b, k), layer.grads.c0(b, k));
      }
    }
    const auto& own = both.dparams[static_cast<std::size_t>(d)];
    for (Index e = 0; e < own.weight_hh.size(); ++e) {
      EXPECT_EQ(own.weight_hh[e], layer.grads.params.weight_hh[e]);
    }
    for (Index e = 0; e < own.weight_ih.size(); ++e) {
      EXPECT_EQ(own.weight_ih[e], layer.grads.params.weight_ih[e]);
    }
  }
  // Both directions' parts have been taken from dx: nothing is left.
  for (const double rest : both.din.x) EXPECT_NEAR(rest, 0, 1e-15);
}

/// Remembers what it was given, computes nothing.
class Spy final : public Plan<double> {
 public:
  struct Seen {
    const double *x = nullptr, *y = nullptr, *h0 = nullptr, *dy = nullptr, *dx = nullptr;
  };
  Spy(const Spec& spec, Seen& seen) : Plan<double>(spec, Exec{}), seen_(seen) {}
  std::size_t workspace_bytes() const override { return 1000; }

 private:
  void do_forward(const Params<const double>&, const Inputs<const double>& in,
                  const Outputs<double>& out) override {
    seen_.x = in.x.data(), seen_.h0 = in.h0.data(), seen_.y = out.y.data();
  }
  void do_backward(const Params<const double>&, const Inputs<const double>&,
                   const OutputGrads<const double>& dout, const Grads<double>& grads) override {
    seen_.dy = dout.y.data(), seen_.dx = grads.x.data();
  }
  Seen& seen_;
};

TEST(Stack, OfOneLayerIsItsPlan) {
  const StackSpec spec{parse_cell("gru"), shape, 1, false, false};
  Spy::Seen seen;
  Stack<double> stack(spec, [&](const Spec& s) { return std::make_unique<Spy>(s, seen); });
  Tensors<double> tensors(spec);
  tensors.run(stack);
  EXPECT_EQ(seen.x, tensors.in.x.data());
  EXPECT_EQ(seen.h0, tensors.in.h0.data());
  EXPECT_EQ(seen.y, tensors.out.y.data());
  EXPECT_EQ(seen.dy, tensors.dout.y.data());
  EXPECT_EQ(seen.dx, tensors.din.x.data());
  EXPECT_EQ(stack.workspace_bytes(), 1000u);
}

TEST(Stack, SaysWhatItHoldsBesideItsPlans) {
  Spy::Seen seen;
  const auto spies = [&](const Spec& s) { return std::make_unique<Spy>(s, seen); };
  // Outputs of two layers, and the gradients of both.
  const StackSpec deep{parse_cell("gru"), shape, 3};
  EXPECT_EQ(Stack<double>(deep, spies).workspace_bytes(),
            3 * 1000 + 8u * 4 * (shape.T * shape.B * shape.H));
  // Inputs and their gradients turned round, and the states of each direction.
  const StackSpec both{parse_cell("gru"), shape, 1, true};
  EXPECT_EQ(Stack<double>(both, spies).workspace_bytes(),
            2 * 1000 + 8u * (shape.T * shape.B * (2 * shape.I + 2 * shape.H)));
}

TEST(Stack, AbsentTensorsAreZeroOrNotWanted) {
  const StackSpec spec{parse_cell("lstm"), shape, 2, true};
  Tensors<double> given(spec), absent(spec);
  for (auto* view : {&given.in.h0, &given.in.c0, &given.dout.y, &given.dout.hT}) {
    std::fill(view->begin(), view->end(), 0);
  }
  absent.in.h0 = absent.in.c0 = absent.dout.y = absent.dout.hT = {};
  absent.out.hT = absent.out.cT = {};
  absent.din.x = absent.din.h0 = {};
  absent.dparams[1].bias_hh = {};
  Stack<double> stack(spec, naive_plans<double>());
  given.run(stack);
  absent.run(stack);
  const auto same = [](const View<double>& a, const View<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (Index e = 0; e < a.size(); ++e) EXPECT_EQ(a[e], b[e]);
  };
  same(given.out.y, absent.out.y);
  same(given.din.c0, absent.din.c0);
  for (std::size_t i = 0; i < 4; ++i) {
    same(given.dparams[i].weight_hh, absent.dparams[i].weight_hh);
    same(given.dparams[i].weight_ih, absent.dparams[i].weight_ih);
    same(given.dparams[i].bias_ih, absent.dparams[i].bias_ih);
  }
}

class Boundary : public testing::Test {
 protected:
  Boundary() : stack_(spec_, naive_plans<double>()), tensors_(spec_) {}
  std::string message() {
    try {
      tensors_.run(stack_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "no error";
  }
  const StackSpec spec_{parse_cell("gru"), shape, 2, true, true};
  const std::vector<Index> lengths_ = {1, 5, 0};
  Stack<double> stack_;
  Tensors<double> tensors_;
};

TEST_F(Boundary, NamesWhatDoesNotFit) {
  tensors_.in.lengths = lengths_;
  EXPECT_EQ(message(), "no error");
  const auto with = [&](auto& view, auto other) {
    const auto kept = view;
    view = other;
    const std::string text = message();
    view = kept;
    return text;
  };
  using V = View<double>;
  using C = View<const double>;
  EXPECT_EQ(with(tensors_.in.h0, V(tensors_.in.h0.data(), {2, 3, 4})),
            "h0: expected extents [4,3,4]; got [2,3,4]");
  EXPECT_EQ(with(tensors_.in.x, V()), "x: expected a tensor of extents [5,3,2]; none was given");
  EXPECT_EQ(with(tensors_.out.y, V(tensors_.out.y.data(), {5, 3, 4})),
            "y: expected extents [5,3,8]; got [5,3,4]");
  EXPECT_EQ(with(tensors_.dout.hT, V(tensors_.out.y.data(), {5, 3, 4})),
            "dhT: expected extents [4,3,4]; got [5,3,4]");
  EXPECT_EQ(with(tensors_.din.x, V(tensors_.out.y.data(), {5, 3, 4})),
            "grad.x: expected extents [5,3,2]; got [5,3,4]");
  EXPECT_EQ(with(tensors_.in.c0, tensors_.in.h0),
            "c0: this cell has no such tensor; got one of extents [4,3,4]");
  auto& reverse = tensors_.read_only_params[3];
  EXPECT_EQ(with(reverse.weight_ih, C(tensors_.in.x)),
            "weight_ih_l1_reverse: expected extents [12,8]; got [5,3,2]");
  EXPECT_EQ(with(reverse.bias_hh, C()),
            "bias_hh_l1_reverse: expected a tensor of extents [12]; none was given");
  EXPECT_EQ(with(tensors_.dparams[2].weight_hh, tensors_.in.x),
            "grad.weight_hh_l1: expected extents [12,4]; got [5,3,2]");
  tensors_.read_only_params.pop_back();
  EXPECT_EQ(message(), "parameters: expected those of 4 layers and directions; got 3");
}

TEST_F(Boundary, RefusesLengthsThatDoNotFit) {
  EXPECT_EQ(message(), "lengths: expected 3 values in 0..5; got 0 values");
  const std::vector<Index> too_long = {1, 6, 2};
  tensors_.in.lengths = too_long;
  EXPECT_THAT(message(), HasSubstr("one of them out of range"));
}

TEST(StackSpec, RefusesWhatItCannotBe) {
  const auto message_of = [](const StackSpec& spec) {
    try {
      Spy::Seen seen;  // a plan that takes no memory: what is refused, the stack refuses
      Stack<double>(spec, [&](const Spec& s) { return std::make_unique<Spy>(s, seen); });
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message_of({parse_cell("gru"), shape, 0}),
            "layers: expected a number of at least 1; got 0");
  EXPECT_THAT(message_of({parse_cell("gru"), {5, 0, 2, 4}}), HasSubstr("B (batch)"));
  EXPECT_THAT(message_of({parse_cell("gru"), shape, Index{1} << 60}),
              HasSubstr("does not fit in 64 bits"));
  const Index much = Index{1} << 22;
  EXPECT_THAT(message_of({parse_cell("gru"), {much, 1 << 10, 8, 64}, 2}),
              testing::AllOf(HasSubstr("buffers of stack"), HasSubstr("are free")));
}

TEST(StackSpec, NamesAreThoseOfPyTorch) {
  EXPECT_EQ(parameter_name("weight_ih_l0", 0, 0), "weight_ih_l0");
  EXPECT_EQ(parameter_name("weight_ih_l0", 1, 1), "weight_ih_l1_reverse");
  EXPECT_EQ(parameter_name("bias_hh_l0", 12, 0), "bias_hh_l12");
  EXPECT_EQ(to_string(StackSpec{parse_cell("lstm:peephole"), shape, 3, true, true}),
            "lstm:peephole T=5 B=3 I=2 H=4 layers=3 bidirectional lengths");
}

TEST(StackSpec, CountsTheFlopsOfEveryLayer) {
  const StackSpec spec{parse_cell("gru"), shape, 2, true};
  const double layer_0 = 2.0 * 15 * 12 * (2 + 4), layer_1 = 2.0 * 15 * 12 * (8 + 4);
  EXPECT_EQ(forward_flops(spec, 15), 2 * (layer_0 + layer_1));
}

}  // namespace
}  // namespace bptt::net
