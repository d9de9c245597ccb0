// Golden files that are not as they should be: what cannot be expressed is refused in words, what
// is malformed is an error that names file and tensor.
#include <cmath>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "verify/golden.hpp"
#include "verify/written_golden.hpp"

namespace bptt::verify {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(CheckGoldenFile, TurnsWhatCannotBeReadIntoAResult) {
  const auto results = check_golden_file("/nonexistent.safetensors", {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].verdict, Verdict::error);
  EXPECT_EQ(results[0].error, ErrorKind::data);
  EXPECT_THAT(results[0].reason, HasSubstr("/nonexistent.safetensors"));
}

/// 1 kB that asks for a stack of a million layers.
TEST(CheckGoldenFile, BuildsNoLayerThatTheFileHasNoTensorsFor) {
  for (const char* direction : {"false", "true"}) {
    io::SafetensorsWriter writer;
    writer.add_metadata("bptt",
                        R"({"cell": "rnn", "T": 1, "B": 1, "I": 1, "H": 1, "layers": 100000000,
                            "bidirectional": )" +
                            std::string(direction) + "}");
    for (const char* name : {"weight_ih_l0", "weight_hh_l0", "weight_ih_l99999999"}) {
      writer.add(name, std::vector<Index>{1, 1}, std::vector<double>{1});
    }
    writer.add("x", std::vector<Index>{1, 1, 1}, std::vector<double>{1});
    const Written place(spec_of("rnn", {1, 1, 1, 1}));  // a path of this test's own
    writer.write(place.path);
    const auto results = check_golden_file(place.path, {});
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].error, ErrorKind::data);
    EXPECT_THAT(results[0].reason, HasSubstr("00000000 weights for layers=100000000"));
    EXPECT_THAT(results[0].reason, HasSubstr("the file has 4 tensors"));
  }
}

/// lstm_file(), which has sequences of 3, 5, 1 and 0 steps, with one element that is not finite.
std::vector<Result> check_with(const std::string& tensor, std::size_t element, double value,
                               const net::NetworkSpec& spec, const std::string& metadata) {
  Written file(spec, lstm_lengths);
  file.metadata = metadata;
  file.write();
  const auto given = io::Safetensors::read(file.path);
  io::SafetensorsWriter writer;
  writer.add_metadata("bptt", metadata);
  for (const auto& [name, stored] : given.tensors()) {
    if (name == "lengths") continue;
    auto values = given.reals(name);
    if (name == tensor) values.at(element) = value;
    writer.add(name, stored.shape, std::span<const double>(values));
  }
  writer.write(file.path);
  GoldenOptions options;
  options.backends = {backends().front()};
  options.dtypes = {Dtype::f64};
  options.recompute = {Recompute::none};
  options.threads = {1};
  return check_golden_file(file.path, options);
}

TEST(CheckGoldenFile, WantsFiniteNumbersWhereTheyAreLive) {
  const auto spec = spec_of("lstm:bias=off", {5, 4, 3, 6}, true);
  const double nan = std::nan(""), inf = HUGE_VAL;
  const std::tuple<const char*, std::size_t, double, const char*> odd[] = {
      {"x", 4, nan, "tensor 'x': expected finite values; got nan at element 4 (x t=0 batch 1"},
      {"x", 4, -inf, "got -inf at element 4"},
      {"weight_hh_l0", 7, inf, "tensor 'weight_hh_l0': expected finite values; got inf"},
      {"c0", 23, nan, "tensor 'c0'"},
      {"dy", 0, nan, "tensor 'dy'"},
      {"dhT", 1, inf, "tensor 'dhT'"},
      {"out.y", 119, nan, "tensor 'out.y': expected finite values; got nan at element 119"},
      {"grad.x", 0, nan, "tensor 'grad.x'"},
  };
  for (const auto& [tensor, element, value, message] : odd) {
    const auto results = check_with(tensor, element, value, spec, lstm_metadata);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].verdict, Verdict::error) << message;
    EXPECT_EQ(results[0].error, ErrorKind::data);
    EXPECT_THAT(results[0].reason, HasSubstr(message));
  }
}

TEST(CheckGoldenFile, WantsFiniteTargets) {
  auto spec = spec_of("lstm:bias=off", {5, 4, 3, 6}, true);
  spec.head = net::HeadSpec{2, net::Loss::half_squared_error};
  const std::string metadata =
      R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false, "lengths": [3, 5, 1, 0],
          "head": {"O": 2, "loss": "half_squared_error"}})";
  const auto results = check_with("target", 0, std::nan(""), spec, metadata);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_THAT(results[0].reason, HasSubstr("tensor 'target'"));
  EXPECT_EQ(check_with("target", 39, std::nan(""), spec, metadata).at(0).verdict, Verdict::pass);
}

TEST(CheckGoldenFile, TakesAnythingAsPadding) {
  const auto spec = spec_of("lstm:bias=off", {5, 4, 3, 6}, true);
  for (const double value : {std::nan(""), HUGE_VAL, 1.0}) {
    const auto results = check_with("x", 5 * 4 * 3 - 1, value, spec, lstm_metadata);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].verdict, Verdict::pass) << value << ' ' << results[0].reason;
  }
}

TEST(CheckGoldenFile, NamesTheFileWhereATargetIsNoClass) {
  net::NetworkSpec spec = spec_of("rnn", {5, 4, 3, 6}, true);
  spec.head = net::HeadSpec{7, net::Loss::softmax_cross_entropy};
  Written file(spec, lstm_lengths);
  file.metadata = R"({"cell": "rnn", "T": 5, "B": 4, "I": 3, "H": 6, "lengths": [3, 5, 1, 0],
      "head": {"O": 7, "loss": "softmax_cross_entropy"}})";
  file.target_off = 7;
  file.write();
  const auto results = check_golden_file(file.path, {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].verdict, Verdict::error);
  EXPECT_EQ(results[0].error, ErrorKind::data);
  EXPECT_THAT(results[0].reason, AllOf(HasSubstr(file.path), HasSubstr("target")));
}

struct Malformed {
  const char* name;
  const char* metadata;
  const char* left_out;
  const char* extra;
  const char* message;
};
void PrintTo(const Malformed& file, std::ostream* out) {
  *out << file.name;
}

const Malformed malformed[] = {
    {"NoJson", "{", "", "", "metadata bptt: expected JSON"},
    {"NoObject", "3", "", "", "expected a JSON object"},
    {"NoCell", R"({"T": 5, "B": 4, "I": 3, "H": 6})", "", "", "expected a key 'cell'"},
    {"CellNotText", R"({"cell": 3, "T": 5, "B": 4, "I": 3, "H": 6})", "", "", "key 'cell'"},
    {"NoExtent", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3})", "", "", "expected a key 'H'"},
    {"BadExtent", R"({"cell": "lstm", "T": 0, "B": 4, "I": 3, "H": 6})", "", "", "key 'T'"},
    {"HugeExtents", R"({"cell": "lstm", "T": 999999999999, "B": 999999999999, "I": 3, "H": 6})", "",
     "", "64 bits"},
    {"OtherExtents", R"({"cell": "lstm", "T": 6, "B": 4, "I": 3, "H": 6, "bias": false,
                        "lengths": [3, 5, 1, 0]})",
     "", "", "tensor 'x': expected extents [6,4,3]; got [5,4,3]"},
    {"LengthsBeyondT", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false,
                          "lengths": [9, 5, 1, 0]})",
     "", "", "tensor 'lengths'"},
    {"OtherLengths", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false,
                        "lengths": [3, 5, 1, 1]})",
     "", "", "tensor 'lengths': expected [3,5,1,1] as in the metadata; got [3,5,1,0]"},
    {"HugeT", R"({"cell": "lstm", "T": 999999999, "B": 4, "I": 3, "H": 6, "bias": false})", "", "",
     "tensor 'x': expected extents [999999999,4,3]; got [5,4,3]"},
    {"HugeH", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 99999999, "bias": false})", "", "",
     "tensor 'weight_hh_l0': expected extents [399999996,99999999]; got [24,6]"},
    {"ManyLayers", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false,
                      "layers": 999999999})",
     "", "", "'weight_ih_l999999998'"},
    {"HugeHead", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false,
                    "head": {"O": 999999999, "loss": "half_squared_error"}})",
     "", "", "'head.weight'"},
    {"HeadWithoutLoss", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "head": {"O": 3}})", "",
     "", "key 'head': expected an object with O and loss"},
    {"NoReverse", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false,
                     "bidirectional": true, "lengths": [3, 5, 1, 0]})",
     "", "", "expected a tensor 'weight_ih_l0_reverse'"},
    {"NoBias", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "lengths": [3, 5, 1, 0]})", "",
     "", "expected a tensor 'bias_ih_l0'"},
    {"NoInput", lstm_metadata, "x", "", "expected a tensor 'x'"},
    {"NoWeight", lstm_metadata, "weight_hh_l0", "", "expected a tensor 'weight_hh_l0'"},
    {"UnknownTensor", lstm_metadata, "", "grad.weigth", "tensor 'grad.weigth'"},
};

class MalformedFile : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedFile, IsAnErrorThatNamesFileAndThing) {
  Written file = lstm_file();
  file.metadata = GetParam().metadata;
  if (*GetParam().left_out) file.left_out = {GetParam().left_out};
  file.extra = GetParam().extra;
  file.write();
  try {
    read_golden(file.path);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(file.path), HasSubstr(GetParam().message)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, MalformedFile, testing::ValuesIn(malformed),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GoldenSpec, RefusesWhatItDoesNotKnowInWords) {
  const std::pair<const char*, const char*> refused[] = {
      {R"("novelty": 7)", "novelty=7: not supported"},
      {R"("output_activation": "relu")", "lstm with output_activation=relu: not supported"},
      {R"("coupled_input_forget": true, "forget_gate": false)", "forget_gate=false: not supported"},
      {R"("head": {"O": 2, "loss": "hinge"})", "head.loss=\"hinge\": not supported"},
      {R"("head": {"O": 2, "loss": "half_squared_error", "steps": "first"})", "head.steps="},
      {R"("head": {"O": 2, "loss": "half_squared_error", "novelty": 1})", "head.novelty=1"},
  };
  for (const auto& [key, reason] : refused) {
    io::SafetensorsWriter writer;
    writer.add_metadata(
        "bptt", R"({"cell": "lstm", "T": 1, "B": 1, "I": 1, "H": 1, )" + std::string(key) + "}");
    const auto spec = read_golden_spec(io::Safetensors::parse("some.safetensors", writer.bytes()));
    ASSERT_TRUE(spec.refusal.has_value()) << key;
    EXPECT_THAT(*spec.refusal, HasSubstr(reason));
  }
}

TEST(GoldenSpec, RepeatsHostileTextInPrintableForm) {
  const std::string evil = R"(\u001b[2J\nPASS: 384 results\u009b)";
  const std::string shown = "?[2J?PASS: 384 results?";
  const std::string metadata[] = {
      R"({"cell": ")" + evil + R"(", "T": 1, "B": 1, "I": 1, "H": 1})",
      R"({"cell": "rnn", "activation": ")" + evil + R"(", "T": 1, "B": 1, "I": 1, "H": 1})",
      R"({"cell": "rnn", "T": 1, "B": 1, "I": 1, "H": 1, ")" + evil + R"(": 1})",
  };
  for (const std::string& text : metadata) {
    io::SafetensorsWriter writer;
    writer.add_metadata("bptt", text);
    const auto spec = read_golden_spec(io::Safetensors::parse("some.safetensors", writer.bytes()));
    ASSERT_TRUE(spec.refusal.has_value()) << text;
    EXPECT_THAT(*spec.refusal, HasSubstr(shown));
    for (const std::string& told : {*spec.refusal, spec.cell}) {
      EXPECT_EQ(told.find_first_of("\x1b\n\xc2"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace bptt::verify
