// bptt-bench on the machine itself: its limits, its doctor, and the mode that others publish in.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "bench/cli_run.hpp"
#include "bench/results/csv_reader.hpp"

namespace bptt::bench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(Cli, LimitsMakeBounds) {
  const std::string csv = folder / "r.csv";
  const Result result = run(with(tiny, {"--output", csv, "--limits", "on", "--backend", "naive",
                                        "--cell", "rnn", "--case-time", "0.01"}));
  EXPECT_EQ(result.code, 0) << result.err;
  for (const auto& row : results::read_csv(csv)) {
    ASSERT_TRUE(row.bound_seconds && row.fraction_of_bound && row.bytes);
    EXPECT_DOUBLE_EQ(*row.fraction_of_bound, *row.bound_seconds / *row.seconds);
    EXPECT_EQ(row.origin, "own");
    EXPECT_EQ(row.reorder_seconds, 0.0);
  }
  const auto json = nlohmann::json::parse(text_in(folder / "r.environment.json"));
  for (const char* when : {"at_start", "at_end"}) {
    EXPECT_GT(json["limits"][when]["fma_peak"][0]["gflops"], 0.0);
    EXPECT_GT(json["limits"][when]["bandwidth"].size(), 0u);
  }
  EXPECT_EQ(json["gemm_at_shapes"].size(), 3u);
  EXPECT_TRUE(json["findings"].is_array());
  EXPECT_EQ(json["denormals"]["threads_flushing"], 0);
}

TEST_F(Cli, OnlyTheRecurrence) {
  const std::string csv = folder / "r.csv";
  const Result result =
      run({"--shape", "3x2x5,3x2x5/recurrent-only", "--cell", "rnn", "--backend", "naive",
           "--min-time", "0.0001", "--repetitions", "1", "--phase", "forward", "--output", csv});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto rows = results::read_csv(csv);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].options, "");
  EXPECT_EQ(rows[1].options, "mode=recurrent-only");
  EXPECT_EQ(rows[1].I, 1);
  EXPECT_EQ(rows[0].flops, 2. * rows[1].flops.value());
  expect_refused({"--mode", "recurrent-only", "--input", "8"}, 64, "--input: expected no inputs");
  expect_refused({"--mode", "recurrent-only", "--layers", "2"}, 64, "--layers: expected 1");
  expect_refused({"--mode", "half"}, 64, "--mode: expected one of full-layer, recurrent-only");
  expect_refused({"--shape", "1x2x3/half"}, 64, "--shape: expected one of full-layer");
}

TEST_F(Cli, TheDoctorTellsInTextAndJson) {
  const std::string path = folder / "d.json";
  const Result result = run({"--doctor", "--json", path});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("This machine"), HasSubstr("Its limits"),
                                ::testing::Not(HasSubstr("blas-kernels"))));
  const auto json = nlohmann::json::parse(text_in(path));
  EXPECT_EQ(json["schema_version"], 1);
  for (const char* key : {"findings", "system", "build", "libraries", "blas", "limits"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  expect_refused({"--doctor", "--json", folder / "nowhere/d.json"}, 69, "nowhere/d.json: cannot");
  expect_refused({"--doctor", "--cell", "gru"}, 64, "--cell: expected it without --doctor");
  expect_refused({"--output", path, "--doctor"}, 64, "--output: expected it without --doctor");
  expect_refused({"--strict"}, 64, "--strict: expected --doctor beside it");
  expect_refused({"--json", "-", "--shape", "1x1x1"}, 64, "--json: expected --doctor beside it");
  const Result rate = run({"--gemm-peak", "--dtype", "f32"});
  EXPECT_EQ(rate.code, 0);
  EXPECT_THAT(rate.out, StartsWith("f32 1 "));
}

}  // namespace
}  // namespace bptt::bench
