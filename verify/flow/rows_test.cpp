// The gradient-flow file: what is written reads back, and what is malformed is named.
#include "verify/flow/rows.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <unistd.h>

#include "impls/api/error.hpp"

namespace bptt::verify::flow {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Row sample_row(Index lag = 1) {
  Row row;
  row.backend = "naive", row.dtype = "f64", row.cell = "rnn:relu", row.initialisation = "identity";
  row.T = 3, row.H = 4, row.seed = 7;
  row.sigma_max = 1.25, row.spectral_radius = 0.1;
  row.lag = lag, row.norm = 1.0 / 3, row.bound = 1e-300, row.verdict = Verdict::violated;
  return row;
}

TEST(FlowCsv, ReadsBackWhatItWrote) {
  Row lstm = sample_row(2);
  lstm.cell = "lstm:peephole:output=identity";
  lstm.cell_norm = 0.25;
  lstm.bound.reset(), lstm.verdict.reset();
  Row overflow = sample_row(3);
  overflow.norm = overflow.bound.emplace() = std::numeric_limits<double>::infinity();
  overflow.verdict = Verdict::out_of_range;
  const std::vector<Row> rows = {sample_row(), lstm, overflow};
  const std::string text = csv_text(rows);
  EXPECT_THAT(text, StartsWith("schema,backend,dtype,cell,initialisation,T,H,seed,sigma_max,"
                               "spectral_radius,lag,norm,cell_norm,bound,holds\n1,naive,f64,"));
  EXPECT_EQ(parse_csv(text, "f.csv"), rows);
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(parse_csv(windows, "f.csv"), rows);
  EXPECT_TRUE(parse_csv(csv_text({}), "f.csv").empty());
}

std::string message(const std::string& text) {
  try {
    parse_csv(text, "f.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "accepted";
}

/// The message where one cell of a good file's row is replaced.
std::string message_with(const std::string& from, const std::string& to) {
  std::string text = csv_text({sample_row()});
  const std::size_t at = text.find(from, text.find('\n'));
  EXPECT_NE(at, std::string::npos) << from;
  return message(text.replace(at, from.size(), to));
}

TEST(FlowCsv, NamesLineAndColumnOfWhatIsMalformed) {
  EXPECT_EQ(message_with(",f64,", ",f16,"),
            "f.csv:2: column 'dtype': expected f32 or f64; got 'f16'");
  EXPECT_EQ(message_with("\n1,", "\n2,"),
            "f.csv:2: column 'schema': expected schema version 1; got '2'");
  EXPECT_EQ(message_with("rnn:relu", "rnn:rely"),
            "f.csv:2: column 'cell': expected a cell, as rnn:relu; got 'rnn:rely'");
  EXPECT_EQ(message_with(",3,4,7,", ",0,4,7,"),
            "f.csv:2: column 'T': expected a whole number of at least 1; got '0'");
  EXPECT_EQ(message_with("1.25", "inf"),
            "f.csv:2: column 'sigma_max': expected a finite number of at least 0; got 'inf'");
  EXPECT_EQ(message_with(",1e-300,", ",-1,"),
            "f.csv:2: column 'bound': expected a number of at least 0, inf or nan, or nothing; "
            "got '-1'");
  EXPECT_EQ(message_with("1e-300,no", "1e-300,maybe"),
            "f.csv:2: column 'holds': expected yes, no, out of range, or nothing; got 'maybe'");
  EXPECT_EQ(message_with("1e-300,no", "1e-300,"),
            "f.csv:2: column 'holds': expected a verdict beside a bound; got nothing");
  EXPECT_EQ(message_with("0.1,1,", "0.1,4,"),
            "f.csv:2: column 'lag': expected at most T = 3; got 4");
  EXPECT_EQ(message_with("naive", ""), "f.csv:2: column 'backend': expected a name; got ''");
}

TEST(FlowCsv, NamesWhatIsMissingOrTooMuch) {
  const std::string good = csv_text({sample_row()});
  EXPECT_THAT(message(""), HasSubstr("f.csv:1: column 'schema': expected a header"));
  EXPECT_EQ(message("schema,time\n"), "f.csv:1: column 'dtype': expected 15 cells; got 2");
  std::string renamed = good;
  EXPECT_EQ(message(renamed.replace(renamed.find("norm"), 4, "size")),
            "f.csv:1: column 'norm': expected this name in the header; got 'size'");
  EXPECT_EQ(message(good.substr(0, good.size() - 4) + "\n"),
            "f.csv:2: column 'holds': expected 15 cells; got 14");
  EXPECT_EQ(message(good + "1,naive"), "f.csv:3: column 'dtype': expected 15 cells; got 2");
  EXPECT_THAT(message(good + good.substr(good.find('\n') + 1)),
              HasSubstr("f.csv:3: column 'lag': expected each lag of a network once; got lag 1 "
                        "again, after line 2"));
  EXPECT_THAT(message(std::string(1, '\0')), HasSubstr("is this a CSV file?"));
}

TEST(FlowCsv, FilesThatCannotBeReadAreNamed) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("bptt_flow_rows_" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "f.csv").string();
  std::ofstream(path) << csv_text({sample_row()});
  EXPECT_EQ(read_csv(path), std::vector<Row>{sample_row()});
  const auto fails = [](auto call, ErrorKind kind, const std::string& text) {
    try {
      call();
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      EXPECT_THAT(error.what(), StartsWith(text));
    }
  };
  const std::string absent = (folder / "absent" / "f.csv").string();
  fails([&] { read_csv(absent); }, ErrorKind::data, absent + ": cannot read: No such file");
  fails([&] { read_csv(folder.string()); }, ErrorKind::data, folder.string() + ": cannot read: ");
  std::ofstream(path).close();
  fails([&] { read_csv(path); }, ErrorKind::data, path + ":1: column 'schema'");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bptt::verify::flow
