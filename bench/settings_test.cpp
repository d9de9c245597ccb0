// Flags, presets and their precedence; the grid they make.
#include "bench/settings.hpp"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "bench/grid.hpp"
#include "bench/presets.hpp"
#include "bench/test_folder.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Settings parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bptt-bench");
  const auto line = command_line();
  const int count = static_cast<int>(arguments.size());
  return settings_of(line, *line.parse(count, arguments.data()),
                     line.given(count, arguments.data()));
}

std::string complaint(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

std::vector<std::string> shapes(const Settings& settings) {
  std::vector<std::string> texts;
  for (const Case& c : expand(settings)) texts.push_back(to_string(c.spec.shape));
  return texts;
}

/// A file that is removed when the test ends.
struct File {
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  const TestFolder folder;
  const std::string path = folder / "settings.ini";
};

struct Variable {
  Variable(const char* variable, const char* value) : name(variable) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name); }
  const char* name;
};

TEST(Settings, DefaultsMakeOneCase) {
  const Settings settings = parse({});
  EXPECT_THAT(shapes(settings), ElementsAre("T=50 B=32 I=128 H=128"));
  EXPECT_EQ(settings.backends, backends());
  EXPECT_EQ(settings.repetitions, 7);
  EXPECT_THAT(settings.output, ::testing::MatchesRegex("bptt-bench-[0-9]+T[0-9]+Z\\.csv"));
}

TEST(Settings, TheGridIsEveryCombinationThreadsInnermost) {
  const auto cases =
      expand(parse({"--cell", "lstm,gru:update=keep", "--dtype", "f32,f64", "--seq-len", "5",
                    "--batch", "1:4:x2", "--hidden", "8", "--threads", "1,2"}));
  ASSERT_EQ(cases.size(), 2u * 2 * 3 * 2);
  EXPECT_EQ(to_string(cases[0]), "lstm f32 T=5 B=1 I=8 H=8, 1 thread");
  EXPECT_EQ(to_string(cases[1]), "lstm f32 T=5 B=1 I=8 H=8, 2 threads");
  EXPECT_EQ(to_string(cases.back()), "gru:update=keep f64 T=5 B=4 I=8 H=8, 2 threads");
}

TEST(Settings, LayersDirectionsAndRecomputationAreAxes) {
  const auto cases =
      expand(parse({"--layers", "1:4:x2", "--bidirectional", "off,on", "--recompute",
                    "none,checkpoint", "--threads", "1,2", "--hidden", "4", "--input", "3"}));
  ASSERT_EQ(cases.size(), 3u * 2 * 2 * 2);
  EXPECT_EQ(to_string(cases[0]), "lstm f32 T=50 B=32 I=3 H=4, 1 thread");
  EXPECT_EQ(to_string(cases.back()),
            "lstm f32 T=50 B=32 I=3 H=4, 4 layers, both directions, recompute=checkpoint, "
            "2 threads");
  EXPECT_EQ(cases[1].exec.threads, 2) << "threads innermost";
  EXPECT_EQ(cases[2].exec.recompute, Recompute::checkpoint);
}

TEST(Settings, LengthsAreAnAxisOfFlagsFilesAndPresets) {
  const auto names = [](const Settings& settings) {
    std::vector<std::string> list;
    for (const Case& c : expand(settings)) list.push_back(c.lengths.name());
    return list;
  };
  EXPECT_THAT(names(parse({})), ElementsAre("full"));
  EXPECT_THAT(names(parse({"--lengths", "uniform,full,25%,uniform", "--layers", "2"})),
              ElementsAre("uniform", "full", "25%"));
  const File file("lengths = ewt,full\n");
  EXPECT_THAT(names(parse({"--config", file.path.c_str()})), ElementsAre("ewt", "full"));
  EXPECT_THAT(names(parse({"--preset", file.path.c_str()})), ElementsAre("ewt", "full"));
}

TEST(Settings, TheLayersOfACase) {
  const auto layers = [](std::vector<const char*> arguments) {
    std::vector<std::pair<Index, Index>> inputs_and_plans;
    for (const auto& [spec, plans] :
         expand(parse(std::move(arguments))).front().spec.different_layers()) {
      inputs_and_plans.emplace_back(spec.shape.I, plans);
    }
    return inputs_and_plans;
  };
  using Pairs = std::vector<std::pair<Index, Index>>;
  EXPECT_EQ(layers({"--hidden", "4", "--input", "3"}), (Pairs{{3, 1}}));
  EXPECT_EQ(layers({"--hidden", "4", "--input", "3", "--layers", "3"}), (Pairs{{3, 1}, {4, 2}}));
  EXPECT_EQ(layers({"--hidden", "4", "--layers", "3"}), (Pairs{{4, 3}}));
  EXPECT_EQ(layers({"--hidden", "4", "--layers", "3", "--bidirectional", "on"}),
            (Pairs{{4, 2}, {8, 4}}));
}

TEST(Settings, InputFollowsHiddenUnlessGiven) {
  EXPECT_THAT(shapes(parse({"--hidden", "3,4"})),
              ElementsAre("T=50 B=32 I=3 H=3", "T=50 B=32 I=4 H=4"));
  EXPECT_THAT(shapes(parse({"--hidden", "3,4", "--input", "7"})),
              ElementsAre("T=50 B=32 I=7 H=3", "T=50 B=32 I=7 H=4"));
}

TEST(Settings, ShapesAreListsAndAnExtentReplacesThatOfEach) {
  EXPECT_THAT(shapes(parse({"--shape", "1x2x3,4x5x6x7", "--shape", "8x9x10"})),
              ElementsAre("T=1 B=2 I=3 H=3", "T=4 B=5 I=7 H=6", "T=8 B=9 I=10 H=10"));
  // Two of them become the same one.
  EXPECT_THAT(shapes(parse({"--shape", "1x2x3,1x9x3,4x5x6", "--batch", "8"})),
              ElementsAre("T=1 B=8 I=3 H=3", "T=4 B=8 I=6 H=6"));
}

TEST(Settings, AShapeMayBeForOneKindOfCellOnly) {
  const auto cases =
      expand(parse({"--cell", "lstm,gru:update=keep", "--shape", "gru@1x2x3,lstm@4x5x6"}));
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(to_string(cases[0]), "lstm f32 T=4 B=5 I=6 H=6, 1 thread");
  EXPECT_EQ(to_string(cases[1]), "gru:update=keep f32 T=1 B=2 I=3 H=3, 1 thread");
}

TEST(Settings, FlagsBeatVariablesBeatConfigBeatsPreset) {
  const File preset("hidden = 1\nseq-len = 1\nbatch = 1\nrepetitions = 1\n");
  const File config("hidden = 2\nseq-len = 2\nbatch = 2\n");
  const Variable hidden("BPTT_HIDDEN", "3"), seq_len("BPTT_SEQ_LEN", "3");
  const Settings settings =
      parse({"--hidden", "4", "--config", config.path.c_str(), "--preset", preset.path.c_str()});
  EXPECT_THAT(shapes(settings), ElementsAre("T=3 B=2 I=4 H=4"));
  EXPECT_EQ(settings.repetitions, 1);
}

TEST(Settings, APresetsAxesDoNotCutIntoShapesAskedFor) {
  EXPECT_THAT(shapes(parse({"--preset", "hidden-size", "--shape", "1x2x3", "--cell", "rnn"})),
              ElementsAre("T=1 B=2 I=3 H=3"));
  // A preset's own shapes and axes go together.
  EXPECT_THAT(shapes(parse({"--preset", "sequence-length", "--seq-len", "7"})),
              ElementsAre("T=7 B=1 I=128 H=128", "T=7 B=32 I=128 H=128"));
}

TEST(Settings, EveryPresetIsUnderstoodAndNamedInItsFirstLine) {
  EXPECT_THAT(presets(), ::testing::SizeIs(12));
  for (const Preset& preset : presets()) {
    const std::string name(preset.name);
    EXPECT_FALSE(expand(parse({"--preset", name.c_str()})).empty()) << name;
    EXPECT_TRUE(preset.text.starts_with("# ")) << name;
    EXPECT_GT(preset.summary().size(), 20u) << name;
  }
}

TEST(Settings, CoresStandsForTheProcessors) {
  const Settings settings = parse({"--threads", "cores"});
  ASSERT_EQ(settings.threads.size(), 1u);
  EXPECT_GE(settings.threads[0], 1);
}

TEST(Settings, ATrainingFlagHasNoEffectOnLayers) {
  for (const std::string& flag : training_flags()) {
    // One value that each of them can be parsed from.
    const std::string argument = "--" + flag + "=1";
    EXPECT_THAT(complaint({argument.c_str()}),
                HasSubstr("--" + flag + ": expected --workload char-lm, which has it"));
  }
  EXPECT_THAT(training_flags(), ::testing::IsSupersetOf({"steps", "text", "prime", "truncate"}));
}

TEST(Settings, WhatOnlyStandsInVariablesAndFilesMayBeForOtherRuns) {
  const Variable steps("BPTT_STEPS", "7"), weights("BPTT_SAVE_WEIGHTS", "w");
  const File config("sample = 5\n"), preset("optimizer = sgd\n");
  EXPECT_EQ(complaint({"--config", config.path.c_str(), "--preset", preset.path.c_str()}), "");
}

TEST(Settings, ComplaintsNameTheFlag) {
  EXPECT_THAT(complaint({"--hidden", "0"}),
              HasSubstr("--hidden: expected a value of at least 1; got '0'"));
  EXPECT_THAT(complaint({"--shape", "1x2"}), HasSubstr("--shape: expected TxBxH"));
  EXPECT_THAT(complaint({"--shape", "lstm:bias=off@1x2x3"}), HasSubstr("--shape: expected"));
  EXPECT_THAT(complaint({"--phase", "sideways"}), HasSubstr("--phase: expected one of forward,"));
  EXPECT_THAT(complaint({"--backend", "nobody"}), HasSubstr("backend: expected one of"));
  EXPECT_THAT(complaint({"--preset", "slow"}), HasSubstr("--preset: expected batch, "));
  EXPECT_THAT(complaint({"--preset", "./nowhere.ini"}), HasSubstr("./nowhere.ini: "));
  EXPECT_THAT(complaint({"--repetitions", "0"}), HasSubstr("--repetitions: expected 1.."));
  EXPECT_THAT(complaint({"--min-time", "-1"}),
              HasSubstr("--min-time: expected a number above 0; got -1"));
  EXPECT_THAT(complaint({"--bind", "maybe"}), HasSubstr("--bind: expected on or off"));
  EXPECT_THAT(complaint({"--hiden", "8"}), HasSubstr("hiden"));
  EXPECT_THAT(complaint({"--layers", "0"}), HasSubstr("--layers: expected a value of at least 1"));
  EXPECT_THAT(complaint({"--bidirectional", "both"}),
              HasSubstr("--bidirectional: expected on or off; got 'both'"));
  EXPECT_THAT(complaint({"--recompute", "all"}), HasSubstr("recompute: expected one of none"));
  EXPECT_THAT(complaint({"--lengths", "12"}), HasSubstr("--lengths: expected full, uniform,"));
  EXPECT_THAT(
      complaint({"--lengths", "uniform", "--batch", "100001"}),
      HasSubstr("--batch: expected at most 100000 where sequences have lengths; got 100001"));
  const File one("1\n"), other("1\n");
  EXPECT_THAT(complaint({"--lengths", (one.path + "," + other.path).c_str()}),
              HasSubstr("--lengths: expected files of different names, by which rows tell them "
                        "apart; got 'settings.ini' in several folders"));
  EXPECT_THAT(complaint({"--workload", "char-lm", "--lengths", "uniform"}),
              HasSubstr("--lengths: expected full; the windows of char-lm's text"));
  EXPECT_THAT(complaint({"--sample", "5"}), HasSubstr("--sample: expected --workload char-lm"));
  EXPECT_THAT(complaint({"--load-weights", "w"}),
              HasSubstr("--load-weights: expected --workload char-lm"));
  EXPECT_THAT(complaint({"--output", "environment.json"}),
              HasSubstr("--output and environment.json beside --output: expected different files"));
  EXPECT_THAT(complaint({"--workload", "chess"}),
              HasSubstr("--workload: expected one of layer, char-lm"));
  EXPECT_THAT(complaint({"--workload", "char-lm", "--input", "8"}), HasSubstr("--input: char-lm"));
  EXPECT_THAT(complaint({"--workload", "char-lm", "--phase", "forward"}),
              HasSubstr("--phase: char-lm"));
}

}  // namespace
}  // namespace bptt::bench
