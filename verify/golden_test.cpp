// Golden files: every one passes in every backend, and so does any other that is right.
#include "verify/golden.hpp"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "impls/api/registry.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "verify/written_golden.hpp"

namespace bptt::verify {
namespace {

using testing::ElementsAre;

const std::string folder = BPTT_SOURCE_DIR "/verify/golden/";

std::vector<std::string> own_files() {
  return golden_paths({folder});
}

/// The verdict in every backend and precision; a backend may refuse, as long as two of the suite's
/// own do not.
void expect_all(const GoldenCheck& check, Verdict verdict) {
  for (const Dtype dtype : all_dtypes) {
    int own = 0;
    for (const Backend* backend : backends()) {
      const Result result = check.check(*backend, dtype, Exec{});
      if (result.verdict == Verdict::refused) {
        EXPECT_FALSE(result.reason.empty()) << backend->name();
        continue;
      }
      own += backend->is_peer() ? 0 : 1;
      EXPECT_EQ(result.verdict, verdict) << backend->name() << ' ' << name_of(dtype) << ' '
                                         << to_string(result.worst_place) << ' ' << result.reason;
    }
    EXPECT_GE(own, 2) << name_of(dtype);
  }
}

class OwnFiles : public testing::TestWithParam<std::string> {};

TEST_P(OwnFiles, PassInEveryBackend) {
  const GoldenCheck check(read_golden(GetParam()), 1);
  EXPECT_FALSE(check.file().refusal);
  EXPECT_TRUE(check.file().not_compared.empty());
  expect_all(check, Verdict::pass);
}

INSTANTIATE_TEST_SUITE_P(All, OwnFiles, testing::ValuesIn(own_files()), [](const auto& test) {
  return std::filesystem::path(test.param).stem().string();
});

TEST(OwnGoldenFiles, AreAllThere) {
  EXPECT_EQ(own_files().size(), 64u + 39u);  // of PyTorch, of make_golden.py
}

void expect_all(const std::string& path, Verdict verdict) {
  expect_all(GoldenCheck(read_golden(path), 1), verdict);
}

TEST(WrittenGoldenFile, OfOtherExtentsWithoutBiasWithLengthsPasses) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  file.flat_states = true;
  file.write();
  expect_all(file.path, Verdict::pass);
}

TEST(WrittenGoldenFile, StoredAsFloatPassesInBothPrecisions) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  file.all_as_float = true;
  file.write();
  expect_all(file.path, Verdict::pass);
}

TEST(WrittenGoldenFile, IsJudgedTensorByTensorInThePrecisionItIsStoredIn) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  file.as_float = {"out.y"};  // the others stay F64
  file.off = 1e-9;            // nothing in F32, a bug in F64
  file.write();
  const GoldenCheck check(read_golden(file.path), 1);
  const Result result = check.check(*backends().front(), Dtype::f64, Exec{});
  EXPECT_EQ(result.verdict, Verdict::fail);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].place.tensor, "grad.weight_hh_l0");
}

TEST(WrittenGoldenFile, WithoutOptionalTensorsTakesThemAsZeroAndSaysWhatItDoesNotHave) {
  Written file(spec_of("gru:update=keep", {4, 3, 2, 5}));
  file.metadata = R"({"cell": "gru", "update": "keep", "T": 4, "B": 3, "I": 2, "H": 5})";
  file.as_zero = {"h0", "dhT"};
  file.left_out = {"out.hT", "grad.bias_hh_l0"};
  file.write();
  expect_all(file.path, Verdict::pass);
  EXPECT_THAT(read_golden(file.path).not_compared, ElementsAre("out.hT", "grad.bias_hh_l0"));
}

TEST(WrittenGoldenFile, WithLengthsAsATensorOnlyAdoptsThem) {
  Written file(spec_of("rnn", {5, 4, 3, 6}, true), lstm_lengths);
  file.metadata = R"({"cell": "rnn", "T": 5, "B": 4, "I": 3, "H": 6})";
  file.write();
  expect_all(file.path, Verdict::pass);
}

struct Combination {
  const char* name;
  const char* cell;
  Index layers;
  bool bidirectional;
  std::vector<Index> lengths;
  std::optional<net::HeadSpec> head;
  std::set<std::string> as_zero;
  const char* metadata;
};
void PrintTo(const Combination& combination, std::ostream* out) {
  *out << combination.name;
}

const Combination combinations[] = {
    {"BidirectionalHeadLengths",
     "gru:reset=after_matmul:update=keep",
     1,
     true,
     lstm_lengths,
     net::HeadSpec{7, net::Loss::sigmoid_cross_entropy},
     {},
     R"("cell": "gru", "reset": "after_matmul", "update": "keep", "bidirectional": true,
        "lengths": [3, 5, 1, 0], "head": {"O": 7, "loss": "sigmoid_cross_entropy"})"},
    {"ThreeLayersPeephole",
     "lstm:peephole",
     3,
     false,
     {},
     {},
     {},
     R"("cell": "lstm", "layers": 3, "peephole": true)"},
    {"SoftmaxLastWithLengths",
     "lstm",
     2,
     true,
     lstm_lengths,
     net::HeadSpec{7, net::Loss::softmax_cross_entropy, net::Steps::last},
     {},
     R"("cell": "lstm", "layers": 2, "bidirectional": true, "lengths": [3, 5, 1, 0],
        "head": {"O": 7, "loss": "softmax_cross_entropy", "steps": "last"})"},
    {"StackWithoutBiasOrStates",
     "rnn:relu:bias=off",
     2,
     false,
     {},
     {},
     {"h0", "dhT"},
     R"("cell": "rnn", "activation": "relu", "bias": false, "layers": 2)"},
    {"HeadWithoutItsBiasOrStates",
     "lstm:bias=off",
     1,
     false,
     lstm_lengths,
     net::HeadSpec{7, net::Loss::half_squared_error},
     {"h0", "c0", "head.bias"},
     R"("cell": "lstm", "bias": false, "lengths": [3, 5, 1, 0],
        "head": {"O": 7, "loss": "half_squared_error", "steps": "all"})"},
    {"GatesOff",
     "lstm:input_gate=off:forget_gate=off:candidate=identity",
     1,
     false,
     {},
     {},
     {},
     R"("cell": "lstm", "input_gate": false, "forget_gate": false, "output_gate": true,
        "candidate_activation": "identity")"},
    {"OutputGateOffCoupledPeephole",
     "lstm:peephole:coupled:output_gate=off",
     2,
     true,
     lstm_lengths,
     {},
     {"dy"},
     R"("cell": "lstm", "peephole": true, "coupled_input_forget": true, "output_gate": false,
        "layers": 2, "bidirectional": true, "lengths": [3, 5, 1, 0])"},
};

class Combinations : public testing::TestWithParam<Combination> {};

TEST_P(Combinations, PassAndCompareEverything) {
  const Combination& of = GetParam();
  net::NetworkSpec spec = spec_of(of.cell, {5, 4, 3, 6}, !of.lengths.empty());
  spec.stack.layers = of.layers;
  spec.stack.bidirectional = of.bidirectional;
  spec.head = of.head;
  Written file(spec, of.lengths);
  file.as_zero = of.as_zero;
  file.metadata = R"({"T": 5, "B": 4, "I": 3, "H": 6, )" + std::string(of.metadata) + "}";
  file.write();
  expect_all(file.path, Verdict::pass);
  EXPECT_THAT(read_golden(file.path).not_compared, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, Combinations, testing::ValuesIn(combinations),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(WrittenGoldenFile, ThatIsWrongFailsAndNamesTensorAndPlace) {
  Written file = lstm_file();
  file.metadata = lstm_metadata;
  file.off = 1e-3;
  file.write();
  const Result result =
      GoldenCheck(read_golden(file.path), 1).check(*backends().front(), Dtype::f64, Exec{});
  EXPECT_EQ(result.verdict, Verdict::fail);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(to_string(result.findings[0].place), "grad.weight_hh_l0 gate i row 0 column 0");
  // The backend agrees with naive, so no upstream step is to blame.
  EXPECT_EQ(result.findings[0].time_step, "not against naive with the same inputs");
}

TEST(CheckGoldenFile, RunsEveryBackendPrecisionAndThreadCount) {
  GoldenOptions options;
  options.backends = backends();
  options.dtypes = {Dtype::f32, Dtype::f64};
  options.recompute = {Recompute::none, Recompute::gates};
  options.threads = {1, 2, 3};
  const auto results = check_golden_file(folder + "lstm_deep2.safetensors", options);
  EXPECT_EQ(results.size(), backends().size() * 2 * 2 * 3);
  options.cells = {"gru"};
  EXPECT_TRUE(check_golden_file(folder + "lstm.safetensors", options).empty());
}

TEST(GoldenSpec, TakesOptionsAtTheirPlainValue) {
  io::SafetensorsWriter writer;
  writer.add_metadata("bptt", R"({"cell": "lstm", "T": 1, "B": 1, "I": 1, "H": 1, "layers": 1,
      "bidirectional": false, "peephole": false, "output_activation": "tanh", "gate_input": "hidden",
      "coupled_input_forget": false, "bias": true, "input_gate": true, "forget_gate": true,
      "output_gate": true, "candidate_activation": "tanh", "head": null, "lengths": null})");
  const auto spec = read_golden_spec(io::Safetensors::parse("some.safetensors", writer.bytes()));
  EXPECT_FALSE(spec.refusal);
  EXPECT_TRUE(spec.network.stack.cell.is_plain_lstm());
  EXPECT_FALSE(spec.network.head);
}

}  // namespace
}  // namespace bptt::verify
