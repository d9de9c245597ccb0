#include "bench/environment.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bench/test_folder.hpp"

namespace bptt::bench {
namespace {

TEST(Environment, IsNamedAfterTheResults) {
  EXPECT_EQ(environment_path("a/b.c.csv"), "a/b.c.environment.json");
  EXPECT_EQ(environment_path("plain"), "plain.environment.json");
}

TEST(Environment, StandsBesideTheResultsAndIsTheFoldersLast) {
  const TestFolder folder;
  Environment environment;
  environment.facts = inspect();
  environment.peaks = {{{Dtype::f32, 2}, 100.0}};
  environment.command = {"bptt-bench", "--hidden", "\xff"};
  environment.preset = "quick";
  const Journal first(folder / "first.csv");
  write_environment(environment, first);
  environment.peaks_at_end = {{{Dtype::f32, 2}, 90.0}};
  const Journal second(folder / "second.csv");
  write_environment(environment, second);

  const auto of_first = nlohmann::json::parse(text_in(folder / "first.environment.json"));
  const auto of_second = nlohmann::json::parse(text_in(folder / "second.environment.json"));
  EXPECT_EQ(nlohmann::json::parse(text_in(folder / "environment.json")), of_second);
  EXPECT_EQ(of_first["run_id"], first.run_id());
  EXPECT_EQ(of_first["results"], "first.csv");
  EXPECT_EQ(of_first["gemm_peak"][0]["gflops"], 100.0);
  EXPECT_FALSE(of_first["gemm_peak"][0].contains("gflops_at_end"));
  EXPECT_EQ(of_second["gemm_peak"][0]["gflops_at_end"], 90.0);
  // What is not UTF-8 cannot be said in JSON.
  EXPECT_EQ(of_second["command"].back(), "\uFFFD");
  // Caches are told by sysfs, which a container or chroot may lack.
  EXPECT_EQ(of_second["system"]["caches"].empty(),
            !std::filesystem::exists("/sys/devices/system/cpu/cpu0/cache/index0"));
  for (const char* key : {"cpu", "kernel", "memory_bytes"}) {
    EXPECT_FALSE(of_second["system"][key].empty()) << key;
  }
  for (const char* key : {"openblas", "highway", "benchmark", "boost", "backends"}) {
    EXPECT_FALSE(of_second["libraries"][key].empty()) << key;
    EXPECT_NE(of_second["libraries"][key], "") << key;
  }
  EXPECT_NE(of_second["blas"]["live_kernels"], "");
}

}  // namespace
}  // namespace bptt::bench
