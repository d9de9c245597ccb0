// One file, written and read under two names: refused, whatever the names.
#include "bench/output_paths.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "bench/test_folder.hpp"

namespace bptt::bench {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OutputPaths : public ::testing::Test {
 protected:
  OutputPaths() {
    settings.workload = Settings::Workload::char_lm;
    settings.output = folder / "r.csv";
    settings.training.text = folder / "text";
    settings.training.load_weights = folder / "w";
    settings.training.save_weights = folder / "w";
    settings.training.dump_logits = folder / "l";
    std::ofstream(settings.training.text) << "text";
  }

  std::string complaint() const {
    try {
      refuse_clashes(used_paths(settings));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "";
  }

  TestFolder folder;
  Settings settings;
};

TEST_F(OutputPaths, WeightsMayBeReadAndThenReplaced) {
  EXPECT_EQ(complaint(), "");
}

TEST_F(OutputPaths, AnOutputIsNoOtherFileOfTheRun) {
  const auto with = [&](std::string TrainingOptions::*path, const std::string& value) {
    const std::string before = std::exchange(settings.training.*path, value);
    const std::string said = complaint();
    settings.training.*path = before;
    return said;
  };
  EXPECT_THAT(with(&TrainingOptions::save_weights, folder / "text"),
              AllOf(HasSubstr("--save-weights"), HasSubstr("--text")));
  EXPECT_THAT(with(&TrainingOptions::save_weights, folder / "r.csv"),
              AllOf(HasSubstr("--save-weights"), HasSubstr("--output")));
  EXPECT_THAT(with(&TrainingOptions::save_weights, folder / "r.environment.json"),
              AllOf(HasSubstr("--save-weights"), HasSubstr("environment file of --output")));
  EXPECT_THAT(with(&TrainingOptions::dump_logits, folder / "environment.json"),
              AllOf(HasSubstr("--dump-logits"), HasSubstr("environment.json beside --output")));
  EXPECT_THAT(with(&TrainingOptions::dump_logits, folder / "w"),
              AllOf(HasSubstr("--dump-logits"), HasSubstr("--save-weights")));
  EXPECT_THAT(with(&TrainingOptions::text, folder / "r.csv"),
              AllOf(HasSubstr("--text"), HasSubstr("--output")));
  settings.output = folder / "environment.json";
  EXPECT_THAT(complaint(), AllOf(HasSubstr("--output"), HasSubstr("environment.json beside")));
}

TEST_F(OutputPaths, AnotherNameOfAFileIsTheSameFile) {
  for (const std::string& name : {folder / "./text", folder / "no/../text"}) {
    settings.training.save_weights = name;
    EXPECT_THAT(complaint(), HasSubstr("--text")) << name;
  }
  std::filesystem::create_symlink(folder / "text", folder / "soft");
  std::filesystem::create_hard_link(folder / "text", folder / "hard");
  for (const char* name : {"soft", "hard"}) {
    settings.training.save_weights = folder / name;
    EXPECT_THAT(complaint(), HasSubstr("--text")) << name;
  }
  settings.output = "some.csv";
  settings.training.save_weights = std::filesystem::absolute("some.csv");
  EXPECT_THAT(complaint(), HasSubstr("--output"));
}

TEST_F(OutputPaths, ALayersRunHasItsResultsOnly) {
  settings.workload = Settings::Workload::layer;
  settings.output = settings.training.text;
  EXPECT_EQ(complaint(), "");
}

}  // namespace
}  // namespace bptt::bench
