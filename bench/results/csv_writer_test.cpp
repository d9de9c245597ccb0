// What the writer promises: rows come back as they went, and failures are told.
#include "bench/results/csv_writer.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>

#include "bench/results/csv_reader.hpp"
#include "bench/results/sample_row.hpp"
#include "impls/api/error.hpp"
#include "impls/io/test_folder.hpp"

namespace bptt::results {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A path in a directory of this test's own, removed with it.
class CsvWriterTest : public ::testing::Test {
 protected:
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }
  void put(const std::string& contents) const { std::ofstream(path) << contents; }

  const io::TestFolder folder;
  const std::string path = folder / "r.csv";
};

std::string message_of(const std::function<void()>& action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST_F(CsvWriterTest, RowsComeBackAsTheyWent) {
  Row awkward = sample_row();
  awkward.backend = "a,\"b\"\r\nc";
  awkward.note = "\"";
  awkward.options = "";
  awkward.seconds = std::numeric_limits<double>::denorm_min();
  awkward.loss = std::numeric_limits<double>::infinity();
  Row refused = sample_row();
  refused.seconds = refused.gflops = refused.noise = refused.loss = std::nullopt;
  refused.workspace_bytes = std::nullopt;
  refused.note = "refused: needs 3 GiB, 2 GiB are free";
  const std::vector<Row> rows = {sample_row(), awkward, refused};
  {
    CsvWriter writer(path);
    for (const Row& row : rows) writer.write(row);
  }
  EXPECT_EQ(read_csv(path), rows);
}

TEST_F(CsvWriterTest, EveryColumnHasAFieldOfItsOwn) {
  // Two columns bound to one field would still round-trip; distinct text per column would not.
  CsvWriter(path).write(sample_row());
  const std::string line = text().substr(text().find('\n') + 1);
  EXPECT_EQ(line,
            "3,run-1,2026-01-02T03:04:05Z,host,abc,tbb,2021.8,gru,update=keep,f32,50,64,128,256,1,"
            "1,2,train_step,3,0.30000000000000004,1e+09,3.3333333333333335,250,0.0133,1048576,"
            "9007199254740993,full,0.5,1e-300,plain,layer,1e+06,2.5,own,"
            "0.001,0.002,4e+06,0.25,0.8,jit:blocked,composed,1600,skipped\n");
}

TEST_F(CsvWriterTest, EachRowIsInTheFileAsSoonAsWriteReturns) {
  CsvWriter writer(path);
  EXPECT_TRUE(read_csv(path).empty());
  writer.write(sample_row());
  EXPECT_EQ(read_csv(path).size(), 1u);
  writer.write(sample_row());
  EXPECT_EQ(read_csv(path).size(), 2u);
}

TEST_F(CsvWriterTest, CreateStartsAnewAndAppendContinues) {
  CsvWriter(path).write(sample_row());
  CsvWriter(path).write(sample_row());
  EXPECT_EQ(read_csv(path).size(), 1u);
  CsvWriter(path, CsvWriter::Mode::append).write(sample_row());
  EXPECT_EQ(read_csv(path).size(), 2u);
}

TEST_F(CsvWriterTest, AppendCreatesAFileThatIsAbsentOrEmpty) {
  CsvWriter(path, CsvWriter::Mode::append).write(sample_row());
  EXPECT_EQ(read_csv(path).size(), 1u);
  put("");
  CsvWriter(path, CsvWriter::Mode::append).write(sample_row());
  EXPECT_EQ(read_csv(path).size(), 1u);
}

TEST_F(CsvWriterTest, AppendLeavesAForeignFileAlone) {
  put("name,age\nAda,36\n");
  const std::string message =
      message_of([&] { CsvWriter(path, CsvWriter::Mode::append); }, ErrorKind::data);
  EXPECT_THAT(message, StartsWith(path + ":1: "));
  EXPECT_THAT(message, HasSubstr("name,age"));
  EXPECT_EQ(text(), "name,age\nAda,36\n");
}

TEST_F(CsvWriterTest, AppendRefusesToContinueACutLine) {
  CsvWriter(path).write(sample_row());
  put(text().substr(0, text().size() - 5));
  EXPECT_THAT(message_of([&] { CsvWriter(path, CsvWriter::Mode::append); }, ErrorKind::data),
              HasSubstr("cut off"));
}

TEST_F(CsvWriterTest, AFullDiskIsToldWithPathAndReason) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  EXPECT_EQ(message_of([] { CsvWriter("/dev/full"); }, ErrorKind::unavailable),
            "/dev/full: cannot write the results file: No space left on device");
}

TEST_F(CsvWriterTest, AnUnwritablePathIsToldWithPathAndReason) {
  EXPECT_EQ(message_of([&] { CsvWriter(path + "/x.csv"); }, ErrorKind::unavailable),
            path + "/x.csv: cannot write the results file: No such file or directory");
}

TEST_F(CsvWriterTest, RefusesWhatTheReaderWouldRefuse) {
  CsvWriter writer(path);
  const auto refuses = [&](auto&& change) {
    Row row = sample_row();
    change(row);
    EXPECT_THROW(writer.write(row), std::invalid_argument);
  };
  refuses([](Row& row) { row.seconds = std::nan(""); });
  refuses([](Row& row) { row.seconds = 0; });
  refuses([](Row& row) { row.T = 0; });
  refuses([](Row& row) { row.phase = "sideways"; });
  refuses([](Row& row) { row.backend = ""; });
  refuses([](Row& row) { row.seconds = std::nullopt; });
  EXPECT_TRUE(read_csv(path).empty());
}

}  // namespace
}  // namespace bptt::results
