// Golden files: every one that can be expressed passes in every backend, what cannot is refused in
// words, and what is malformed is an error that names file and tensor.
#include "verify/golden.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "impls/api/registry.hpp"
#include "impls/io/safetensors_writer.hpp"
#include "verify/equality.hpp"
#include "verify/tensor_list.hpp"

namespace bptt::verify {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string folder = BPTT_SOURCE_DIR "/verify/golden/";

std::vector<std::string> own_files() {
  return golden_paths({folder});
}

class OwnFiles : public testing::TestWithParam<std::string> {};

TEST_P(OwnFiles, PassInEveryBackendOrAreRefusedInWords) {
  const GoldenCheck check(read_golden(GetParam()), 1);
  for (const Backend* backend : backends()) {
    for (const Dtype dtype : all_dtypes) {
      const Result result = check.check(*backend, dtype, 1);
      if (check.file().refusal) {
        EXPECT_EQ(result.verdict, Verdict::refused);
        EXPECT_THAT(result.reason, HasSubstr("not supported yet"));
      } else {
        EXPECT_EQ(result.verdict, Verdict::pass) << backend->name() << ' ' << name_of(dtype);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, OwnFiles, testing::ValuesIn(own_files()), [](const auto& test) {
  return std::filesystem::path(test.param).stem().string();
});

TEST(OwnGoldenFiles, AreAllThere) {
  EXPECT_EQ(own_files().size(), 64u);
  int expressible = 0;
  for (const auto& path : own_files()) expressible += !read_golden(path).refusal;
  EXPECT_GE(expressible, 20);
}

/// A golden file made from naive<long double>, as another system might have written it.
class Written {
 public:
  explicit Written(Spec spec, bool as_float = false) : spec_(spec), as_float_(as_float) {
    path = (std::filesystem::temp_directory_path() /
            ("bptt_golden_test_" + std::to_string(::getpid()) + ".safetensors"))
               .string();
  }
  ~Written() { std::filesystem::remove(path); }

  std::string metadata = "{}";
  std::string path;
  std::string left_out;  ///< a tensor that is not written
  std::string extra;     ///< one that nobody knows
  double off = 0;        ///< added to the first element of grad.weight_hh_l0

  void write(const Case& c) const {
    const auto ref = as_float_ ? nullptr : reference_of<double>(c, 1);
    const auto ref32 = as_float_ ? reference_of<float>(c, 1) : nullptr;
    io::SafetensorsWriter writer;
    writer.add_metadata("bptt", metadata);
    if (as_float_) {
      add_all(writer, ref32->given, ref32->expected);
    } else {
      add_all(writer, ref->given, ref->expected);
    }
    if (c.spec.lengths) {
      const auto lengths = c.lengths();
      writer.add("lengths", std::vector<Index>{c.spec.shape.B}, std::span<const Index>(lengths));
    }
    if (!extra.empty()) writer.add(extra, std::vector<Index>{1}, std::vector<double>{1});
    writer.write(path);
  }

 private:
  template <class Given, class Expected>
  void add_all(io::SafetensorsWriter& writer, const Given& given, const Expected& expected) const {
    for (const auto& [info, view] : given_tensors(given)) add(writer, info, info.name(), view);
    for (const auto& [info, view] : result_tensors(expected)) {
      add(writer, info, (info.is_gradient ? "" : "out.") + info.name(), view);
    }
  }
  template <class View>
  void add(io::SafetensorsWriter& writer, const TensorInfo& info, const std::string& name,
           const View& view) const {
    if (!view || name == left_out) return;
    std::vector<Index> shape;
    if (info.extents.rank() == 2 && !info.base_name.starts_with("weight")) shape.push_back(1);
    for (int axis = 0; axis < info.extents.rank(); ++axis) shape.push_back(info.extents[axis]);
    std::vector<double> values(view.begin(), view.end());
    if (name == "grad.weight_hh_l0") values[0] += off;
    if (as_float_) {
      const std::vector<float> narrow(values.begin(), values.end());
      writer.add(name, shape, std::span<const float>(narrow));
    } else {
      writer.add(name, shape, std::span<const double>(values));
    }
  }

  Spec spec_;
  bool as_float_;
};

Case case_of(const char* cell, const Shape& shape, bool lengths) {
  Case c;
  c.name = "written";
  c.spec.cell = parse_cell(cell);
  c.spec.shape = shape;
  c.spec.lengths = lengths;
  if (lengths) c.variant = Variant::lengths;
  return c;
}

constexpr const char* lstm_metadata =
    R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "bias": false, "lengths": [3, 5, 1, 0]})";

Case lstm_case() {
  return case_of("lstm:bias=off", {5, 4, 3, 6}, true);
}

void expect_all(const std::string& path, Verdict verdict) {
  const GoldenCheck check(read_golden(path), 1);
  for (const Backend* backend : backends()) {
    for (const Dtype dtype : all_dtypes) {
      const Result result = check.check(*backend, dtype, 1);
      EXPECT_EQ(result.verdict, verdict)
          << backend->name() << ' ' << name_of(dtype) << ' ' << to_string(result.worst_place);
    }
  }
}

TEST(WrittenGoldenFile, OfOtherExtentsWithoutBiasWithLengthsPasses) {
  Written file(lstm_case().spec);
  file.metadata = lstm_metadata;
  file.write(lstm_case());
  expect_all(file.path, Verdict::pass);
}

TEST(WrittenGoldenFile, StoredAsFloatPassesInBothPrecisions) {
  Written file(lstm_case().spec, true);
  file.metadata = lstm_metadata;
  file.write(lstm_case());
  expect_all(file.path, Verdict::pass);
}

TEST(WrittenGoldenFile, MayLackUpstreamGradientsAndStates) {
  Case c = case_of("gru:update=keep", {4, 3, 2, 5}, false);
  c.variant = Variant::bare;
  Written file(c.spec);
  file.metadata = R"({"cell": "gru", "update": "keep", "T": 4, "B": 3, "I": 2, "H": 5})";
  file.write(c);
  expect_all(file.path, Verdict::pass);
}

TEST(WrittenGoldenFile, ThatIsWrongFailsAndNamesTensorAndPlace) {
  Written file(lstm_case().spec);
  file.metadata = lstm_metadata;
  file.off = 1e-3;
  file.write(lstm_case());
  const Result result =
      GoldenCheck(read_golden(file.path), 1).check(*backends().front(), Dtype::f64, 1);
  EXPECT_EQ(result.verdict, Verdict::fail);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(to_string(result.findings[0].place), "grad.weight_hh_l0 gate i row 0 column 0");
  // The backend agrees with naive, so no upstream step is to blame.
  EXPECT_EQ(result.findings[0].time_step, "not against naive with the same inputs");
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
    {"NoBias", R"({"cell": "lstm", "T": 5, "B": 4, "I": 3, "H": 6, "lengths": [3, 5, 1, 0]})", "",
     "", "expected a tensor 'bias_ih_l0'"},
    {"NoInput", lstm_metadata, "x", "", "expected a tensor 'x'"},
    {"NoWeight", lstm_metadata, "weight_hh_l0", "", "expected a tensor 'weight_hh_l0'"},
    {"UnknownTensor", lstm_metadata, "", "grad.weigth", "tensor 'grad.weigth'"},
};

class MalformedFile : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedFile, IsAnErrorThatNamesFileAndThing) {
  Written file(lstm_case().spec);
  file.metadata = GetParam().metadata;
  file.left_out = GetParam().left_out;
  file.extra = GetParam().extra;
  file.write(lstm_case());
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
      {R"("layers": 2)", "layers=2: stacks are not supported yet"},
      {R"("bidirectional": true)", "bidirectional: not supported yet"},
      {R"("head": {"loss": "softmax_cross_entropy"})", "head softmax_cross_entropy: heads are not"},
      {R"("novelty": 7)", "novelty=7: not supported yet"},
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

TEST(GoldenSpec, TakesOptionsAtTheirPlainValue) {
  io::SafetensorsWriter writer;
  writer.add_metadata("bptt", R"({"cell": "lstm", "T": 1, "B": 1, "I": 1, "H": 1, "layers": 1,
      "bidirectional": false, "peephole": false, "output_activation": "tanh", "gate_input": "hidden",
      "coupled_input_forget": false, "bias": true})");
  EXPECT_FALSE(
      read_golden_spec(io::Safetensors::parse("some.safetensors", writer.bytes())).refusal);
}

}  // namespace
}  // namespace bptt::verify
