// Networks: gradients of every tensor against complex step and finite differences, the names and
// order of tensors, and what the boundary refuses.
#include "impls/net/network.hpp"

#include <gmock/gmock.h>

#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

using testing::HasSubstr;

constexpr const char* cells[] = {"rnn",
                                 "rnn:relu",
                                 "rnn:leaky_relu:bias=off",
                                 "rnn:sigmoid",
                                 "rnn:identity",
                                 "lstm",
                                 "lstm:bias=off",
                                 "lstm:peephole:output=identity",
                                 "lstm:gate_input=cell:coupled",
                                 "gru",
                                 "gru:update=keep",
                                 "gru:reset=after_matmul",
                                 "gru:reset=after_matmul:update=keep:bias=off"};

constexpr Shape shape{5, 3, 2, 4};
const std::vector<Index> lengths = {3, 5, 0};

struct Case {
  std::string cell;
  Index layers = 1;
  bool bidirectional = false;
  bool with_lengths = false;
  friend void PrintTo(const Case& c, std::ostream* out) { *out << name(c); }
  static std::string name(const Case& c) {
    std::string text = c.cell + (c.layers > 1 ? "_deep" : "") + (c.bidirectional ? "_bidir" : "") +
                       (c.with_lengths ? "_lengths" : "");
    for (char& letter : text) {
      if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    }
    return text;
  }
  NetworkSpec spec() const {
    return {{parse_cell(cell), shape, layers, bidirectional, with_lengths}};
  }
  std::vector<Index> own_lengths() const { return with_lengths ? lengths : std::vector<Index>{}; }
};

class Gradients : public testing::TestWithParam<Case> {};

TEST_P(Gradients, AreThoseOfComplexStepAndFiniteDifferences) {
  const std::vector<Index> own = GetParam().own_lengths();
  expect_right_gradients([&]<class T>(std::type_identity<T>) {
    return make_network<T>(GetParam().spec(), own, naive_plans<T>());
  });
}

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const char* cell : cells) {
    for (const bool with_lengths : {false, true}) {
      all.push_back({cell, 1, false, with_lengths});
      all.push_back({cell, 1, true, with_lengths});
      all.push_back({cell, 3, false, with_lengths});
      all.push_back({cell, 2, true, with_lengths});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Networks, Gradients, testing::ValuesIn(every_case()),
                         [](const auto& param) { return Case::name(param.param); });

class HeadGradients : public testing::TestWithParam<HeadSpec> {};

TEST_P(HeadGradients, AreThoseOfComplexStepAndFiniteDifferences) {
  for (const bool with_lengths : {false, true}) {
    const Case c{"gru", 2, true, with_lengths};
    NetworkSpec spec = c.spec();
    spec.head = GetParam();
    SCOPED_TRACE(to_string(spec));
    const std::vector<Index> own = c.own_lengths();
    expect_right_gradients([&]<class T>(std::type_identity<T>) {
      return make_network<T>(spec, own, naive_plans<T>());
    });
  }
}

std::vector<HeadSpec> every_head() {
  std::vector<HeadSpec> all;
  for (const Loss loss :
       {Loss::half_squared_error, Loss::sigmoid_cross_entropy, Loss::softmax_cross_entropy}) {
    for (const Steps steps : {Steps::all, Steps::last}) {
      for (const Reduction reduction :
           {Reduction::sum, Reduction::mean_over_steps, Reduction::mean_over_batch}) {
        all.push_back({5, loss, steps, reduction});
      }
    }
  }
  all.push_back({5,
                 Loss::softmax_cross_entropy,
                 Steps::all,
                 Reduction::sum,
                 {{3, LayerActivation::softmax}, {7, LayerActivation::relu}}});
  all.push_back({5,
                 Loss::half_squared_error,
                 Steps::last,
                 Reduction::sum,
                 {{3, LayerActivation::sigmoid}},
                 LayerActivation::softmax,
                 false});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Networks, HeadGradients, testing::ValuesIn(every_head()));

std::vector<std::string> names_of(const Model<double>& model) {
  std::vector<std::string> names;
  for (const auto& tensor : model.tensors()) names.push_back(tensor.name);
  return names;
}

TEST(Network, HasTheTensorsOfAGoldenFile) {
  StackSpec stack{parse_cell("lstm"), shape, 2, true};
  EXPECT_THAT(names_of(*make_network<double>({stack}, {}, naive_plans<double>())),
              testing::ElementsAre(
                  "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                  "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse",
                  "bias_hh_l0_reverse", "weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1",
                  "weight_ih_l1_reverse", "weight_hh_l1_reverse", "bias_ih_l1_reverse",
                  "bias_hh_l1_reverse", "x", "h0", "c0", "dy", "dhT", "dcT", "y", "hT", "cT"));
  stack = {parse_cell("gru:bias=off"), shape};
  const HeadSpec squared{6, Loss::half_squared_error};
  const auto with_head = make_network<double>({stack, squared}, {}, naive_plans<double>());
  EXPECT_THAT(names_of(*with_head),
              testing::ElementsAre("weight_ih_l0", "weight_hh_l0", "head.weight", "head.bias", "x",
                                   "h0", "target", "y", "hT", "loss"));
  const auto classes = make_network<double>({stack, HeadSpec{6}}, {}, naive_plans<double>());
  EXPECT_THAT(names_of(*classes), testing::Not(testing::Contains("target")));
  EXPECT_EQ(classes->targets().size(), 15u);
  EXPECT_EQ(classes->classes(), 6);
}

TEST(Network, SaysWhatItsOuterAxesCount) {
  const auto model = make_network<double>({{parse_cell("lstm:peephole"), shape, 2, false, true}},
                                          lengths, naive_plans<double>());
  for (const auto& tensor : model->tensors()) {
    SCOPED_TRACE(tensor.name);
    if (tensor.name == "weight_hh_l1") {
      EXPECT_EQ(tensor.outer, OuterAxis::gates);
      EXPECT_THAT(tensor.gate_names, testing::ElementsAre("i", "f", "g", "o"));
      EXPECT_EQ(tensor.blocks, 4);
    } else if (tensor.name == "weight_peephole_l0") {
      EXPECT_THAT(tensor.gate_names, testing::ElementsAre("i", "f", "o"));
      EXPECT_EQ(tensor.blocks, 3);
    } else if (tensor.name == "dcT") {
      EXPECT_EQ(tensor.outer, OuterAxis::states);
      EXPECT_EQ(tensor.blocks, 2);
      EXPECT_EQ(tensor.lengths, nullptr);
    } else if (tensor.name == "x" || tensor.name == "dy" || tensor.name == "y") {
      EXPECT_EQ(tensor.outer, OuterAxis::time);
      EXPECT_EQ(tensor.blocks, 5);
      ASSERT_NE(tensor.lengths, nullptr);
      EXPECT_EQ(*tensor.lengths, lengths);
    }
  }
}

TEST(Network, SequencesWithoutStepsCostNothing) {
  const std::vector<Index> none = {0, 0, 0};
  for (const Steps steps : {Steps::all, Steps::last}) {
    const HeadSpec head{6, Loss::softmax_cross_entropy, steps, Reduction::mean_over_steps};
    const auto model = make_network<double>({{parse_cell("gru"), shape, 1, true, true}, head}, none,
                                            naive_plans<double>());
    fill_model(*model);
    model->forward();
    model->backward();
    EXPECT_EQ(model->loss(), 0);
    for (const auto& tensor : model->tensors()) {
      for (const double g : tensor.gradient) EXPECT_EQ(g, 0) << tensor.name;
    }
  }
}

template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Network, RefusesInWords) {
  NetworkSpec spec{{parse_cell("gru"), shape, 1, false, true}};
  const auto make = [&](const std::vector<Index>& own) {
    return message_of([&] { make_network<double>(spec, own, naive_plans<double>()); });
  };
  EXPECT_EQ(make({}), "lengths: expected 3 values in 0..5; got 0 values");
  EXPECT_THAT(make({1, 6, 2}), HasSubstr("one of them out of range"));
  spec.head = HeadSpec{0};
  EXPECT_THAT(make(lengths), HasSubstr("width of dense layer 0: expected 1..2147483647; got 0"));
  spec.head = HeadSpec{6, Loss::sigmoid_cross_entropy};
  spec.head->output = LayerActivation::sigmoid;
  EXPECT_THAT(make(lengths), HasSubstr("expected identity; got sigmoid"));
  spec.head = HeadSpec{Index{1} << 30, Loss::half_squared_error};
  spec.stack.shape.T = 1 << 20;
  EXPECT_THAT(make(lengths), HasSubstr("are free"));
}

TEST(Network, RunsOneBackwardForEachForward) {
  const auto model =
      make_network<double>({{parse_cell("gru"), shape}, HeadSpec{6, Loss::half_squared_error}}, {},
                           naive_plans<double>());
  fill_model(*model);
  model->forward();
  model->backward();
  EXPECT_THAT(message_of([&] { model->backward(); }),
              HasSubstr("one forward before each backward"));
}

}  // namespace
}  // namespace bptt::net
