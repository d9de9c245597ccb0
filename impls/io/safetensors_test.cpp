// Reading back what was written, and hostile files: each must end in one line that names the file,
// and the tensor where there is one.
#include "impls/io/safetensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "impls/api/error.hpp"
#include "impls/io/safetensors_writer.hpp"

namespace bptt::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::vector<char> file_of(const std::string& header, std::size_t data_bytes,
                          std::uint64_t length_lie = 0) {
  const std::uint64_t length = length_lie == 0 ? header.size() : length_lie;
  std::vector<char> bytes(sizeof length + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::copy(header.begin(), header.end(), bytes.begin() + sizeof length);
  return bytes;
}

std::string message_of(std::vector<char> bytes) {
  try {
    Safetensors::parse("some.safetensors", std::move(bytes));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "accepted";
}

TEST(Safetensors, ReadsBackWhatWasWritten) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  SafetensorsWriter writer;
  writer.add_metadata("bptt", R"({"T": 2})");
  writer.add("x", std::vector<Index>{2, 3}, std::vector<double>{1, -2.5, nan, 1e300, 0, -0.0});
  writer.add("w", std::vector<Index>{2}, std::vector<float>{0.1f, -3});
  writer.add("lengths", std::vector<Index>{1}, std::vector<Index>{-7});
  writer.add("scalar", std::vector<Index>{}, std::vector<double>{4});
  writer.add("none", std::vector<Index>{0, 5}, std::vector<double>{});
  const auto path = (std::filesystem::temp_directory_path() /
                     ("bptt_safetensors_test_" + std::to_string(::getpid())))
                        .string();
  writer.write(path);
  const Safetensors file = Safetensors::read(path);
  std::filesystem::remove(path);

  EXPECT_EQ(file.metadata().at("bptt"), R"({"T": 2})");
  EXPECT_EQ(file.tensors().size(), 5u);
  EXPECT_EQ(file.tensor("x").shape, (std::vector<Index>{2, 3}));
  const auto x = file.reals("x");
  EXPECT_EQ(x[1], -2.5);
  EXPECT_TRUE(std::isnan(x[2]));
  EXPECT_EQ(x[3], 1e300);
  EXPECT_EQ(file.reals("w"), (std::vector<double>{0.1f, -3}));
  EXPECT_EQ(file.integers("lengths"), (std::vector<Index>{-7}));
  EXPECT_EQ(file.reals("scalar"), (std::vector<double>{4}));
  EXPECT_TRUE(file.reals("none").empty());
}

TEST(Safetensors, NamesFileAndTensorWhereTheCallerExpectsAnother) {
  SafetensorsWriter writer;
  writer.add("x", std::vector<Index>{1}, std::vector<double>{1});
  writer.add("n", std::vector<Index>{1}, std::vector<Index>{1});
  const Safetensors file = Safetensors::parse("some.safetensors", writer.bytes());
  EXPECT_THROW(file.tensor("y"), Error);
  EXPECT_THROW(file.integers("x"), Error);
  EXPECT_THROW(file.reals("n"), Error);
}

TEST(SafetensorsWriter, RefusesWhatCouldNotBeReadBack) {
  SafetensorsWriter writer;
  writer.add("x", std::vector<Index>{1}, std::vector<double>{1});
  EXPECT_THROW(writer.add("x", std::vector<Index>{1}, std::vector<double>{1}), Error);
  EXPECT_THROW(writer.add("y", std::vector<Index>{2}, std::vector<double>{1}), Error);
  EXPECT_THROW(writer.write("/nonexistent/folder/file"), Error);
}

struct Hostile {
  const char* name;
  std::vector<char> bytes;
  const char* expected;  ///< part of the message
};

void PrintTo(const Hostile& file, std::ostream* out) {
  *out << file.name;
}

const Hostile hostile[] = {
    {"Empty", {}, "at least 8 bytes; the file has 0"},
    {"ShorterThanItsLengthField", {1, 0, 0}, "the file has 3"},
    {"HeaderBeyondTheFile", file_of("{}", 0, 1000), "truncated"},
    {"AbsurdHeader", file_of("{}", 0, ~std::uint64_t{0}), "at most 100000000 bytes"},
    {"NotJson", file_of("{\"x\": ", 0), "JSON header"},
    {"NotUtf8", file_of("{\"\xff\": 1}", 0), "JSON header"},
    {"DeepNesting", file_of(std::string(100000, '['), 0), "JSON header"},
    {"NotAnObject", file_of("[1]", 0), "JSON object"},
    {"MetadataNotAnObject", file_of(R"({"__metadata__": 3})", 0), "__metadata__"},
    {"MetadataNotText", file_of(R"({"__metadata__": {"a": 3}})", 0), "key 'a'"},
    {"EntryNotAnObject", file_of(R"({"x": 3})", 0), "'x'"},
    {"NoDtype", file_of(R"({"x": {"shape": [1], "data_offsets": [0,8]}})", 8), "'dtype'"},
    {"NoShape", file_of(R"({"x": {"dtype": "F64", "data_offsets": [0,8]}})", 8), "'shape'"},
    {"NoOffsets", file_of(R"({"x": {"dtype": "F64", "shape": [1]}})", 8), "'data_offsets'"},
    {"UnknownDtype", file_of(R"({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0,2]}})", 2),
     "\"BF16\""},
    {"DtypeNotText", file_of(R"({"x": {"dtype": 64, "shape": [1], "data_offsets": [0,8]}})", 8),
     "got 64"},
    {"NegativeExtent",
     file_of(R"({"x": {"dtype": "F64", "shape": [-1], "data_offsets": [0,8]}})", 8), "got -1"},
    {"FractionalExtent",
     file_of(R"({"x": {"dtype": "F64", "shape": [1.5], "data_offsets": [0,8]}})", 8), "got 1.5"},
    {"ShapeNotAnArray", file_of(R"({"x": {"dtype": "F64", "shape": 1, "data_offsets": [0,8]}})", 8),
     "an array"},
    {"OverflowingShape",
     file_of(R"({"x": {"dtype": "F64", "shape": [4294967296,4294967296], "data_offsets": [0,0]}})",
             0),
     "64 bits"},
    {"OverflowHiddenByZero",
     file_of(
         R"({"x": {"dtype": "F64", "shape": [4294967296,4294967296,0], "data_offsets": [0,0]}})",
         0),
     "64 bits"},
    {"ShapeAgainstBytes",
     file_of(R"({"x": {"dtype": "F64", "shape": [2], "data_offsets": [0,8]}})", 8), "16 bytes"},
    {"EndBeforeBegin",
     file_of(R"({"x": {"dtype": "F64", "shape": [1], "data_offsets": [8,0]}})", 8), "begin <= end"},
    {"OneOffset", file_of(R"({"x": {"dtype": "F64", "shape": [1], "data_offsets": [0]}})", 8),
     "[begin,end]"},
    {"BeyondTheData",
     file_of(R"({"x": {"dtype": "F64", "shape": [2], "data_offsets": [0,16]}})", 8), "8 bytes of"},
    {"HugeOffsets",
     file_of(R"({"x": {"dtype": "F64", "shape": [1],
                  "data_offsets": [18446744073709551608,18446744073709551615]}})",
             8),
     "data_offsets"},
    {"Overlap",
     file_of(R"({"x": {"dtype": "F64", "shape": [2], "data_offsets": [0,16]},
                            "y": {"dtype": "F64", "shape": [1], "data_offsets": [8,16]}})",
             16),
     "'y': overlaps"},
    {"Gap",
     file_of(R"({"x": {"dtype": "F64", "shape": [1], "data_offsets": [0,8]},
                        "y": {"dtype": "F64", "shape": [1], "data_offsets": [16,24]}})",
             24),
     "'y': leaves a gap"},
    {"BytesOfNobody", file_of(R"({"x": {"dtype": "F64", "shape": [1], "data_offsets": [0,8]}})", 9),
     "accounts for 8"},
    {"DuplicateName",
     file_of(R"({"x": {"dtype": "F64", "shape": [1], "data_offsets": [0,8]},
                                  "x": {"dtype": "F64", "shape": [1], "data_offsets": [8,16]}})",
             16),
     "'x': expected each name once"},
};

class HostileFile : public testing::TestWithParam<Hostile> {};

TEST_P(HostileFile, IsRefusedInOneLine) {
  EXPECT_THAT(
      message_of(GetParam().bytes),
      AllOf(HasSubstr("some.safetensors: "), HasSubstr(GetParam().expected), Not(HasSubstr("\n"))));
}

INSTANTIATE_TEST_SUITE_P(All, HostileFile, testing::ValuesIn(hostile),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Safetensors, EveryTruncationOfAFileIsRefused) {
  SafetensorsWriter writer;
  writer.add("x", std::vector<Index>{2}, std::vector<double>{1, 2});
  const std::vector<char> whole = writer.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(message_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
              "accepted")
        << size;
  }
}

TEST(Safetensors, NamesAFileThatIsNotThere) {
  EXPECT_THROW(Safetensors::read("/nonexistent.safetensors"), Error);
  EXPECT_THROW(Safetensors::read("/tmp"), Error);
}

}  // namespace
}  // namespace bptt::io
