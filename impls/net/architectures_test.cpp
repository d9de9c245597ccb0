// Every named architecture: gradients of every tensor against complex step and finite differences,
// with every kind of cell it takes, with and without lengths.
#include "impls/net/architectures.hpp"

#include <cctype>

#include <gmock/gmock.h>

#include "impls/net/model_check.hpp"

namespace bptt::net {
namespace {

ArchitectureSettings small(const std::string& cell, bool lengths) {
  ArchitectureSettings settings{parse_cell(cell), {5, 3, 2, 4}};
  settings.target_steps = 6;
  settings.target_inputs = 3;
  settings.outputs = 7;
  settings.hidden = 5;
  if (lengths) {
    settings.lengths = {3, 5, 0};
    settings.target_lengths = {6, 2, 4};
  }
  return settings;
}

struct Case {
  const Architecture* architecture;
  std::string cell;
  bool lengths;
  friend void PrintTo(const Case& c, std::ostream* out) { *out << name(c); }
  static std::string name(const Case& c) {
    std::string text = c.architecture->name + "_" + c.cell + (c.lengths ? "_lengths" : "");
    for (char& letter : text) {
      if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    }
    return text;
  }
};

class EveryArchitecture : public testing::TestWithParam<Case> {};

TEST_P(EveryArchitecture, HasTheGradientsOfComplexStepAndFiniteDifferences) {
  const ArchitectureSettings settings = small(GetParam().cell, GetParam().lengths);
  expect_right_gradients([&]<class T>(std::type_identity<T>) {
    return GetParam().architecture->make<T>(settings, naive_plans<T>());
  });
}

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const Architecture& architecture : architectures()) {
    const std::vector<std::string> cells =
        architecture.cells == CellUse::none ? std::vector<std::string>{"rnn"}
        : architecture.cells == CellUse::rnn
            ? std::vector<std::string>{"rnn", "rnn:relu", "rnn:sigmoid", "rnn:leaky_relu"}
            : std::vector<std::string>{"rnn", "lstm", "gru", "gru:reset=after_matmul:update=keep"};
    for (const std::string& cell : cells) {
      all.push_back({&architecture, cell, false});
      if (architecture.takes_lengths) all.push_back({&architecture, cell, true});
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Architectures, EveryArchitecture, testing::ValuesIn(every_case()),
                         [](const auto& param) { return Case::name(param.param); });

TEST(Architectures, AreFoundByTheirNamesOnce) {
  for (const Architecture& architecture : architectures()) {
    EXPECT_EQ(&find_architecture(architecture.name), &architecture);
    EXPECT_FALSE(architecture.description.empty());
  }
  EXPECT_THROW(find_architecture("none-to-none"), Error);
}

TEST(Architectures, AreWhatTheirNamesSay) {
  const auto network = [](const char* name) {
    return std::get<NetworkSpec>(find_architecture(name).spec(small("rnn:relu", false)));
  };
  EXPECT_EQ(network("one-to-one").stack.shape.T, 1);
  for (const char* name : {"one-to-many", "siso", "simo"}) {
    EXPECT_TRUE(network(name).input_at_first_step_only) << name;
  }
  for (const char* name : {"many-to-one", "many-to-many", "mimo"}) {
    EXPECT_FALSE(network(name).input_at_first_step_only) << name;
  }
  EXPECT_EQ(network("many-to-one").head->steps, Steps::last);
  EXPECT_EQ(network("siso").head->steps, Steps::last);
  EXPECT_EQ(network("simo").head->steps, Steps::all);
  EXPECT_EQ(network("mimo").head->output, LayerActivation::relu);
  EXPECT_EQ(network("deep").stack.layers, 2);
  EXPECT_TRUE(network("deep-bidirectional").stack.bidirectional);
  const auto both = std::get<EncoderDecoderSpec>(
      find_architecture("encoder-decoder-attention").spec(small("gru", true)));
  EXPECT_TRUE(both.attention);
  EXPECT_EQ(both.encoder.shape.T, 5);
  EXPECT_EQ(both.decoder.shape.T, 6);
  EXPECT_TRUE(both.encoder.lengths && both.decoder.lengths);
}

TEST(Architectures, RefuseWhatTheyDoNotTake) {
  const auto message_of = [](const char* name, const ArchitectureSettings& settings) {
    try {
      find_architecture(name).spec(settings);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message_of("siso", small("lstm", false)),
            "siso: expected a plain recurrent cell (rnn); got lstm");
  EXPECT_EQ(message_of("one-to-one", small("lstm", true)),
            "one-to-one: expected no lengths; got 3");
  ArchitectureSettings none = small("gru", false);
  none.outputs = 0;
  EXPECT_THAT(message_of("encoder-decoder", none), testing::HasSubstr("width of dense layer 0"));
}

TEST(Architectures, EncoderAndDecoderHaveToFit) {
  EncoderDecoderSpec spec{
      {parse_cell("gru"), {5, 3, 2, 4}}, {parse_cell("gru"), {6, 3, 2, 4}}, false, {}};
  spec.validate();
  spec.decoder.shape.H = 5;
  EXPECT_THROW(spec.validate(), Error);
  spec.decoder.shape.H = 4;
  spec.decoder.cell = parse_cell("rnn");
  EXPECT_THROW(spec.validate(), Error);
  spec.decoder.cell = spec.encoder.cell;
  spec.encoder.bidirectional = true;
  EXPECT_THROW(spec.validate(), Error);
}

}  // namespace
}  // namespace bptt::net
